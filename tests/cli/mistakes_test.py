"""Mistakes of a first hour against the real llm-proxy: each message names what
was seen and what to do. The rows are in mistakes.py; those that need an
upstream or a client are here.

  mistakes_test.py LLM_PROXY [--table]

--table prints what is said now beside what was said before. Prints "N passed,
N failed".
"""

import json
import os
import socket
import sys

import mistakes
from program import Serving, Upstream, answer, certificate, folder_with, run

HELLO = '{"model":"%s","messages":[{"role":"user","content":"hi"}]}'
CHAT = "/v1/chat/completions"
KEY = "sk-our-own-key-0123456789"

passed = 0
failed = 0
table = []


def look(name, told, words, before=""):
    """Whether the words are in what was told."""
    global passed, failed
    missing = [word for word in words if word not in told]
    line = next((each for each in told.splitlines() if words[-1] in each),
                told.strip())
    table.append((name, before, line.strip()))
    if missing:
        failed += 1
        print(f"FAILED {name}: {missing} not in:\n{told}")
    else:
        passed += 1


def look_at(name, condition, told):
    look(name, "yes" if condition else f"no: {told}", ["yes"])


def play_rows(binary):
    taken = socket.create_server(("127.0.0.1", 0))
    port = str(taken.getsockname()[1])
    for row in mistakes.CONFIG + mistakes.ENVIRONMENT + mistakes.COMMANDS:
        arguments = [each.replace("{taken}", port)
                     for each in row.how["arguments"]]
        ended = run(binary, arguments, row.how.get("files"),
                    row.how.get("variables"))
        look(row.name, ended.err, row.words, row.before)
        look_at(f"{row.name}: exit code", ended.code == row.how["code"],
                ended.code)
    taken.close()


def play_addresses(binary):
    for variables, backend, words in mistakes.ADDRESSES:
        ended = run(binary, ["check"], variables=variables)
        line = next(each for each in ended.out.splitlines()
                    if each.startswith(f"  {backend}: "))
        look(f"address {list(variables.values())[0]}", line, [words])


# The same in the list of models: what check says of the backend.
LISTED = """
models:
  - frontend_model_name: m
    frontend_base_url: /up
    backend_model_name: m
    backend_base_url: %s
    backend_dialect: %s
"""
LISTED_ADDRESSES = [
    ("https://h/v1/chat/completions", "openai-chat", " https://h/v1,"),
    ("https://h/v1/chat/completions/", '""', " https://h/v1,"),
    ("https://h/v1/messages", "claude", " https://h/v1,"),
    ("https://h/v1", "gemini", " https://h,"),
    ("https://h/models", "openai-chat", " https://h/models/v1,"),
    ("https://h", "openai-chat", " https://h/v1,"),
]


def play_listed_addresses(binary):
    for url, dialect, words in LISTED_ADDRESSES:
        ended = run(binary, ["check", "--config", "c.yaml"],
                    {"c.yaml": LISTED % (url, dialect)})
        look(f"listed address {url}", ended.out + ended.err, [words])


def message(text):
    body = text.partition("\r\n\r\n")[2]
    try:
        return json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return text


def play_models(binary):
    config = ('backends: {d: {provider: demo}}\nmodels: {fast-model: d, '
              '"below": {backend: d, prefix: /team}}\n')
    with Serving(binary, config) as proxy:
        look("a model with a typo", message(
            proxy.post(CHAT, HELLO % "fast-modle")),
             ["fast-modle", 'did you mean "fast-model"?', "GET /v1/models"],
             "the model '...' does not exist here")
        look("a model that nobody has", message(
            proxy.post(CHAT, HELLO % "zzz")),
             ["zzz", "GET /v1/models"], "the model '...' does not exist here")
        look("a model below a prefix", message(
            proxy.post(CHAT, HELLO % "below")),
             ["below", "served below /team"],
             "the model '...' does not exist here")
        look("a model of another program's spelling", message(
            proxy.post(CHAT, HELLO % "openai/fast-model")),
             ['did you mean "fast-model"?'],
             "the model '...' does not exist here")
    with Serving(binary, None) as proxy:
        look("a vendor's model without its key", message(
            proxy.post(CHAT, HELLO % "gpt-5")),
             ["gpt-5", "set OPENAI_API_KEY"],
             "the model 'gpt-5' does not exist here")


def play_client_keys(binary):
    config = ("server: {client_keys: [a-key-of-sixteen-letters]}\n"
              "backends: {d: {provider: demo}}\nmodels: {demo: d}\n")
    before = "a valid key is required, as authorization: Bearer, ..."
    with Serving(binary, config) as proxy:
        look("no client key", message(proxy.post(CHAT, HELLO % "demo")),
             ["none was sent", "authorization: Bearer KEY", "PROXY_API_KEY",
              "client_keys"], before)
        look("no client key, Claude", message(proxy.post(
            "/v1/messages", HELLO % "demo")), ["none was sent",
                                               "x-api-key: KEY"], before)
        told = message(proxy.post(CHAT, HELLO % "demo",
                                  ["authorization: Bearer wrong-secret"]))
        look("a wrong client key", told,
             ["not known here", "PROXY_API_KEY"], before)
        look_at("a wrong client key is not repeated",
                "wrong-secret" not in told + proxy.told(), told)
        look("a client key without Bearer", message(proxy.post(
            CHAT, HELLO % "demo", ["authorization: a-key-of-sixteen-letters"])),
             ['must be "Bearer KEY"'], before)


def backend(url, key=KEY, more=""):
    keyed = f", api_key: {key}" if key else ""
    return (f'backends: {{up: {{base_url: "{url}"{keyed}{more}}}}}\n'
            'models: {"*": up}\n')


def told_of(binary, config, variables=None):
    """Message and log of one chat."""
    with Serving(binary, config, variables) as proxy:
        text = message(proxy.post(CHAT, HELLO % "m"))
    return text, proxy.told()


def play_upstreams(binary):
    plain = Upstream(answer(200, "{}"))
    folder = folder_with({})
    secure = Upstream(answer(200, "{}"), certificate(folder))
    text, _ = told_of(binary, backend(f"https://127.0.0.1:{plain.port}/v1"))
    look("https:// to an upstream without TLS", text,
         ["does not speak TLS", "write http://", "'up'"],
         "SSL routines::wrong version number")
    text, _ = told_of(binary, backend(f"http://127.0.0.1:{secure.port}/v1"))
    look("http:// to an upstream with TLS", text,
         ["speaks TLS", "write https://"], "the connection was cut by H: ...")
    text, _ = told_of(binary, backend(f"https://127.0.0.1:{secure.port}/v1"))
    look("a certificate of its own", text, ["self-signed", "SSL_CERT_FILE"],
         "SSL certificate problem: self-signed certificate")
    text, _ = told_of(binary, backend("http://127.0.0.1:9/v1"))
    look("nobody there", text, ["cannot connect", "backend 'up'"],
         "the backend's name missing")
    text, _ = told_of(binary, backend("http://nobody.invalid/v1"))
    look("no such host", text, ["resolve host", "backend 'up'"],
         "the backend's name missing")


def play_answers(binary):
    refused = Upstream(answer(
        401, '{"error":{"message":"Incorrect API key provided","code":'
             '"invalid_api_key","type":"invalid_request_error"}}'))
    url = f"http://127.0.0.1:{refused.port}/v1"
    text, log = told_of(binary, backend(url))
    look("the upstream refuses our key", text,
         ["backend 'up'", "refused the proxy's key", "Incorrect API key"],
         "Incorrect API key provided")
    look("the same in the log", log, ["refused the proxy's key"],
         "unauthenticated, status 401, code invalid_api_key")
    look_at("no key in either", KEY not in text + log, text + log)
    text, _ = told_of(binary, backend(url, key=None))
    look("the upstream wants a key", text, ["no key was sent", "'up'",
                                            "api_key"],
         "Incorrect API key provided")
    lost = Upstream(answer(404, "404 page not found", "text/plain"))
    text, _ = told_of(binary, backend(f"http://127.0.0.1:{lost.port}"))
    look("/v1 is missing in base_url", text,
         ["base_url", "'up'", "/v1 missing"], "404 page not found")
    wants = Upstream(answer(
        400, "Client sent an HTTP request to an HTTPS server.", "text/plain"))
    text, _ = told_of(binary, backend(f"http://127.0.0.1:{wants.port}/v1"))
    look("a server that says it wants TLS", text,
         ["base_url", "'up'", "https://"],
         "Client sent an HTTP request to an HTTPS server.")


def play_protocols(binary):
    # What OpenSSL's client says first, its beginning.
    hello = bytes.fromhex("16030101400100013c0303") + b"\0" * 64
    with Serving(binary, None) as proxy:
        for name, sent, words, before in [
                ("https:// to us", hello, ["TLS", "http://"],
                 "this is not a well-formed HTTP/1.1 request"),
                ("HTTP/2 to us", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                 ["HTTP/2", "HTTP/1.1"], "this is not HTTP/1.1"),
                ("the PROXY protocol", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
                 ["PROXY protocol", "load balancer"],
                 "this is not a well-formed HTTP/1.1 request"),
                ("as HTTPS_PROXY",
                 b"CONNECT api.openai.com:443 HTTP/1.1\r\nhost: x\r\n\r\n",
                 ["HTTPS_PROXY", "base URL"], "this method is not taken"),
        ]:
            look(name, proxy.ask(sent), words, before)
    look("https:// to us, in the log", proxy.told(), ["TLS", "http://"],
         "this is not a well-formed HTTP/1.1 request")


def main():
    binary = os.path.abspath(sys.argv[1])
    for play in (play_rows, play_addresses, play_listed_addresses, play_models,
                 play_client_keys, play_upstreams, play_answers,
                 play_protocols):
        play(binary)
    if "--table" in sys.argv:
        for name, before, now in table:
            if before:
                print(f"| {name} | {before} | {now} |")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
