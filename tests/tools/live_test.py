"""Asks real providers through a running proxy, those whose key is set.

  live_test.py BINARY PROVIDER ...   ask; "health" asks nobody but the proxy
  live_test.py --env                 say which keys are set

Exits 1 when something that was asked failed. A provider without a key is
skipped, and said to be.
"""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

PROMPT = "Answer with the one word: yes"


def openai_body(model):
    return {"model": model, "max_tokens": 16,
            "messages": [{"role": "user", "content": PROMPT}]}


def gemini_body(_):
    return {"contents": [{"role": "user", "parts": [{"text": PROMPT}]}]}


# The key's variable, a model that is cheap, the paths below the provider's
# prefix (whole answer, stream), the body.
PROVIDERS = {
    "openai": ("OPENAI_API_KEY", "gpt-4o-mini", "/v1/chat/completions", None,
               openai_body),
    "anthropic": ("ANTHROPIC_API_KEY", "claude-haiku-4-5", "/v1/messages",
                  None, openai_body),
    "gemini": ("GEMINI_API_KEY", "gemini-2.5-flash",
               "/v1beta/models/{model}:generateContent",
               "/v1beta/models/{model}:streamGenerateContent?alt=sse",
               gemini_body),
    "groq": ("GROQ_API_KEY", "llama-3.1-8b-instant", "/v1/chat/completions",
             None, openai_body),
}


class Proxy:
    def __init__(self, binary):
        self.process = subprocess.Popen(
            [binary, "--host", "127.0.0.1", "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+:\d+", line)
        if not found:
            sys.exit(f"live: the proxy did not start: {line}")
        self.url = found.group(0)

    def ask(self, path, body=None):
        request = urllib.request.Request(
            self.url + path, data=json.dumps(body).encode() if body else None,
            headers={"content-type": "application/json",
                     "anthropic-version": "2023-06-01"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")


def ask_provider(proxy, name):
    variable, model, path, stream_path, body_of = PROVIDERS[name]
    if not os.environ.get(variable):
        print(f"{name}: skipped, {variable} is not set")
        return True
    body = body_of(model)
    stream_body = body if stream_path else {**body, "stream": True}
    rows = [("whole", path, body), ("stream", stream_path or path,
                                    stream_body)]
    passed = True
    for what, where, content in rows:
        status, text = proxy.ask(f"/{name}" + where.format(model=model),
                                 content)
        good = status == 200 and ("data:" in text if what == "stream"
                                  else text.startswith("{"))
        print(f"{name}: {what} {'passed' if good else 'FAILED'} ({status})")
        if not good:
            print("  " + text[:300])
        passed = passed and good
    return passed


def ask_health(proxy):
    status, text = proxy.ask("/health")
    good = status == 200 and json.loads(text)["status"] == "ok"
    print(f"health: {'passed' if good else 'FAILED'} ({status})")
    return good


def main():
    if sys.argv[1:] == ["--env"]:
        for variable, *_ in PROVIDERS.values():
            state = "set" if os.environ.get(variable) else "not set"
            print(f"{variable}: {state}")
        return 0
    binary, *names = sys.argv[1:]
    unknown = [name for name in names
               if name != "health" and name not in PROVIDERS]
    if unknown:
        sys.exit(f"live: no such provider: {', '.join(unknown)}")
    proxy = Proxy(binary)
    try:
        results = [ask_health(proxy) if name == "health"
                   else ask_provider(proxy, name) for name in names]
    finally:
        proxy.process.terminate()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
