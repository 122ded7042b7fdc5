"""What the drivers share: jobs come as JSON lines, answers go as such.

A job is {"way", "mode", "url", "body", "shape"}: what is called, how and
where, the request as its API has it, and for parsers what they fill; or
{"results": [...]}, which goes on from the tool calls of the last answer. An
answer is in neutral terms: {"text", "calls", "stop", "usage", "model",
"parsed"}, or {"error": {"status", "message", "type"}}. The first line out
says which SDK it is.
"""

import functools
import importlib
import json
import sys
import traceback


def answer(text, calls, stop, usage, **rest):
    """An answer in neutral terms; `usage` is (input, cached, output)."""
    return {
        "text": text,
        "calls": calls,
        "stop": stop,
        "usage": dict(zip(("input", "cached", "output"), usage)),
        **rest,
    }


def call(id, name, args):
    """A tool call in neutral terms."""
    return {"id": id, "name": name, "args": args}


def serve(version, ways, read_error):
    """Plays jobs until there are no more.

    A way is a class made with the URL. Its methods are the modes, each of
    which takes a body, and the parsers a shape, and returns an answer and
    what stands for it in the history; `append(body, history, results)` makes
    the next request.
    """
    out, sys.stdout = sys.stdout, sys.stderr  # an SDK may print
    way_at = functools.cache(lambda name, url: ways[name](url))

    def write(line):
        print(json.dumps(line), file=out, flush=True)

    write({"version": version})
    last = None
    for line in sys.stdin:
        job = json.loads(line)
        try:
            if "results" in job:
                method, way, body, history = last
                way.append(body, history, job["results"])
            else:
                way = way_at(job["way"], job["url"])
                method, body = getattr(way, job["mode"]), job["body"]
                if "shape" in job:
                    shape = importlib.import_module("shapes")
                    method = functools.partial(
                        method, shape=getattr(shape, job["shape"])
                    )
            reply, history = method(body)
            last = method, way, body, history
            write(reply)
        except Exception as error:
            status, message = read_error(error)
            write({
                "error": {
                    "status": status,
                    "message": message,
                    "type": type(error).__name__,
                    "trace": traceback.format_exc(),
                }
            })
