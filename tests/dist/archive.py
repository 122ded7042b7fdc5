"""What the tests of this folder share: the archive of `make dist`, a server
out of it, and a question to the demo."""

import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.request

# Seconds until a process is taken for one that hangs.
PATIENCE = 60


def find(folder, pattern):
    """The one file or folder of that name."""
    found = sorted(pathlib.Path(folder).glob(pattern))
    if len(found) != 1:
        raise SystemExit(f"{folder}: {len(found)} of {pattern}, not one")
    return found[0].resolve()


class Server:
    """llm-proxy by any command, listening on a port of its own."""

    def __init__(self, *command, **options):
        self.process = subprocess.Popen(
            [*map(str, command), "--port", "0"], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, **options)
        said = ""
        for line in self.process.stdout:
            said += line
            if "http://127.0.0.1:" in line:
                self.url = "http://127.0.0.1:" + line.split(
                    "http://127.0.0.1:")[1].split(",")[0].split()[0]
                break
        else:
            raise SystemExit(f"{command[0]} did not start:\n{said}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.process.stdout.close()

    def post(self, model):
        body = {"model": model, "max_tokens": 64,
                "messages": [{"role": "user", "content": "hi"}]}
        return urllib.request.urlopen(urllib.request.Request(
            self.url + "/v1/messages", json.dumps(body).encode()),
            timeout=PATIENCE)

    def ask(self, model="demo"):
        """Text of the model's answer."""
        with self.post(model) as answer:
            return json.load(answer)["content"][0]["text"]

    def status(self, model):
        """Status of the answer, whatever it is."""
        try:
            with self.post(model) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


def plain_environment(folder, **more):
    """No keys, no proxies; a home of its own."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder),
            "TMPDIR": str(folder), "LC_ALL": "C.UTF-8", **more}
