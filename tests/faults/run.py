"""Runs the fault matrix against the real proxy.

  run.py LLM_PROXY [WORD...]     WORDs choose cases whose name holds one

Every fault of faults.py, at an upstream of each dialect, asked by a client of
the same dialect and by one of another, streamed and not. Beside them a healthy
upstream is asked all the time, which must notice nothing; afterwards memory
and descriptors are back where they were.
"""

import asyncio
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile

import clients
from dialects import DIALECTS, TEXT
from faults import FAULTS
from upstream import Upstream

AT_ONCE = 48
# Of a call, in seconds; the proxy's own deadlines are a tenth of it.
PATIENCE = 60
DEADLINE = 6
WRITE_STALL = 2
# What memory may have grown by after the warm-up. An address sanitizer's
# quarantine is kept small in start_proxy().
MAX_GROWTH_KB = 96 << 10
MAX_MORE_DESCRIPTORS = 16


class Answer:
    def __init__(self):
        self.status = 0
        self.headers = {}
        self.body = b""
        self.end = ""  # "complete", "cut" or "reset"


async def read_body(reader, answer):
    if answer.headers.get("transfer-encoding") == "chunked":
        while True:
            line = await reader.readline()
            if not line.endswith(b"\r\n"):
                raise asyncio.IncompleteReadError(line, None)
            size = int(line, 16)
            piece = await reader.readexactly(size + 2)
            answer.body += piece[:-2]
            if size == 0:
                return
    if "content-length" in answer.headers:
        answer.body = await reader.readexactly(
            int(answer.headers["content-length"]))


async def ask(port, path, body):
    """One request; how the answer ended belongs to it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port,
                                                   limit=1 << 24)
    answer = Answer()
    text = json.dumps(body, separators=(",", ":")).encode()
    writer.write(f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: "
                 f"application/json\r\ncontent-length: {len(text)}\r\n\r\n"
                 .encode() + text)
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        answer.status = int(lines[0].split()[1])
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            answer.headers[name.lower()] = value.strip()
        await read_body(reader, answer)
        answer.end = "complete"
    except asyncio.IncompleteReadError:
        answer.end = "cut"
    except ConnectionResetError:
        answer.end = "reset"
    finally:
        writer.transport.abort()
    return answer


# --- Judging.

def judge_answer(client, stream, answer):
    assert answer.status == 200, f"status {answer.status}: {answer.body[:300]}"
    assert answer.end == "complete", f"its end is {answer.end}"
    if not stream:
        assert client.text_of(json.loads(answer.body)) == TEXT, answer.body
        return
    read = client.read(answer.body)
    assert read.text == TEXT, f"text {read.text!r}"
    assert not read.errors, f"errors {read.errors}"
    assert read.ends == 1, f"{read.ends} ends"


def judge_error(client, expected, answer):
    statuses, _, words = expected.partition(" ")
    assert str(answer.status) in statuses.split("|"), \
        f"status {answer.status}: {answer.body[:300]}"
    assert answer.end == "complete", f"its end is {answer.end}"
    message = client.message_of(json.loads(answer.body))
    assert message, "an empty message"
    assert words in message, f"message {message!r}"
    assert b"SECRET" not in answer.body, "more than the host is told"


def judge_broken(client, answer, late=False):
    assert answer.status == 200, f"status {answer.status}: {answer.body[:300]}"
    # Its SDKs take an orderly end for success: see the Dialect's row.
    breaks = client.name == "gemini"
    assert answer.end == ("reset" if breaks else "complete"), \
        f"its end is {answer.end}"
    read = client.read(answer.body)
    assert TEXT.startswith(read.text), f"text {read.text!r}"
    assert len(read.errors) == 1, f"errors {read.errors}"
    assert read.errors[0], "an empty error"
    # Where the connection's end is the stream's, the last event may be there.
    assert late or read.ends == 0, "a failed stream says that it ended well"


def judge(client, stream, expected, answer):
    if expected == "late":
        if stream and client.read(answer.body).errors:
            return judge_broken(client, answer, late=True)
        expected = "answer"
    if expected == "answer":
        return judge_answer(client, stream, answer)
    if expected == "broken":
        return judge_broken(client, answer)
    return judge_error(client, expected, answer)


# --- The proxy.

CONFIG = """
server: {port: 0, keep_alive_seconds: 20, write_stall_seconds: WRITE_STALL}
images: {allow_addresses: [PICTURES], timeout_seconds: 30}
log: {level: "off"}
upstream: {max_answer_bytes: 1048576, max_event_bytes: 262144}
backends:
"""


def backend(name, dialect, url):
    return (f"  {name}: {{provider: {dialect.provider}, api_key: k-12345678, "
            f"base_url: \"{url}{dialect.url_path}\", deadlines: "
            f"{{connect: 30, first_byte: {DEADLINE}, "
            f"idle: {DEADLINE}}}}}\n")


def config_for(ports, odd_urls, picture_ports):
    allowed = ", ".join(f'"127.0.0.1:{port}"' for port in picture_ports)
    text = CONFIG.replace("WRITE_STALL", str(WRITE_STALL))
    text = text.replace("PICTURES", allowed)
    names = []
    for dialect, port in ports.items():
        urls = {"": f"http://127.0.0.1:{port}", **odd_urls(port)}
        for suffix, url in urls.items():
            names.append(dialect.name + suffix)
            text += backend(names[-1], dialect, url)
    text += "models:\n"
    for name in names:
        text += f"  \"{name}/*\": {{backend: {name}, model: \"*\"}}\n"
    return text


def start_proxy(binary, config):
    file = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
    file.write(config)
    file.close()
    environment = {"PATH": os.environ["PATH"],
                   "ASAN_OPTIONS": "quarantine_size_mb=8"}
    process = subprocess.Popen([binary, "serve", "--config", file.name],
                               stdout=subprocess.PIPE, env=environment)
    line = process.stdout.readline().decode()
    port = re.search(r":(\d+),", line)
    if not port:
        sys.exit(f"llm-proxy did not start: {line}")
    return process, int(port.group(1))


def memory_kb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s*(\d+)", status).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def closed_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


async def untrusted_server(folder):
    """A TLS server whose certificate nobody has signed."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj",
                    "/CN=localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def serve(_, writer):
        writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    return server, server.sockets[0].getsockname()[1]


async def plain_server():
    """What is asked for TLS and speaks HTTP."""
    async def serve(_, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


# --- Running.

class Run:
    def __init__(self, port):
        self.port = port
        self.failures = []
        self.passed = 0
        self.gate = asyncio.Semaphore(AT_ONCE)
        self.done = False
        self.healthy = 0

    async def case(self, fault, upstream, client, stream):
        expected = fault.expected[stream]
        if expected == "late" and upstream.has_end:
            expected = "answer"
        name = (f"{fault.name}: {upstream.name} -> {client.name}, "
                f"{'stream' if stream else 'whole'}")
        path, body = client.request(
            f"{upstream.name}{fault.backend}%2Ff-{fault.name}"
            if "model" not in client.request("m", stream)[1]
            else f"{upstream.name}{fault.backend}/f-{fault.name}", stream)
        try:
            answer = await asyncio.wait_for(
                ask(self.port, path, body), PATIENCE)
            judge(client, stream, expected, answer)
            self.passed += 1
        except asyncio.TimeoutError:
            self.failures.append(f"{name}: no answer")
        except Exception as problem:  # pylint: disable=broad-except
            self.failures.append(f"{name}: {problem!r}"[:600])

    async def gated(self, case):
        async with self.gate:
            await self.case(*case)

    async def check(self, name, work):
        try:
            await asyncio.wait_for(work, PATIENCE)
            self.passed += 1
        except Exception as problem:  # pylint: disable=broad-except
            self.failures.append(f"{name}: {problem!r}")

    async def watch(self):
        """A second client, whose upstream is well."""
        i = 0
        while not self.done:
            dialect = DIALECTS[i % len(DIALECTS)]
            await self.case(FAULTS["fine"], dialect, dialect, i % 2 == 0)
            self.passed -= 1  # not one of the matrix
            self.healthy += 1
            i += 1
            await asyncio.sleep(0.02)


def cases(words):
    for fault in FAULTS.values():
        if words and not any(word in fault.name for word in words):
            continue
        for i, upstream in enumerate(DIALECTS):
            other = DIALECTS[(i + 1 + len(fault.name)) % len(DIALECTS)]
            asking = [upstream] + ([other] if other != upstream else
                                    [DIALECTS[(i + 1) % len(DIALECTS)]])
            for client in asking:
                for stream in (False, True):
                    if fault.expected[stream] is not None:
                        yield fault, upstream, client, stream


async def calm(run):
    """Calls one after the other, until what was idle for long is closed."""
    await asyncio.sleep(5)
    for i in range(60):
        for stream in (False, True):
            dialect = DIALECTS[i % len(DIALECTS)]
            await run.case(FAULTS["fine"], dialect, dialect, stream)
            run.passed -= 1


async def main(binary, words):
    folder = pathlib.Path(tempfile.mkdtemp())
    upstream = Upstream(FAULTS)
    ports = {dialect: await upstream.start(dialect) for dialect in DIALECTS}
    untrusted, tls_port = await untrusted_server(folder)
    plain, plain_port = await plain_server()
    closed = closed_port()
    pictures = clients.SilentServer()
    picture_port = await pictures.start()
    config = config_for(ports, lambda _: {
        "-refused": f"http://127.0.0.1:{closed}",
        "-no_tls": f"https://127.0.0.1:{plain_port}",
        "-wrong_certificate": f"https://localhost:{tls_port}",
        "-unknown_host": "http://no-such-host.invalid"}, [picture_port])
    process, port = start_proxy(binary, config)
    run = Run(port)
    try:
        await calm(run)
        before = memory_kb(process.pid), descriptors(process.pid)
        watcher = asyncio.create_task(run.watch())
        await asyncio.gather(*(run.gated(case) for case in cases(words)))
        run.done = True
        await watcher
        if not words or "clients" in words:
            await run.check("slow pictures", clients.slow_pictures(
                port, pictures, picture_port))
            await run.check("a client that does not read", clients.no_reader(
                port, WRITE_STALL))
        await calm(run)
        after = memory_kb(process.pid), descriptors(process.pid)
    finally:
        process.terminate()
        code = process.wait(20)
        untrusted.close()
        plain.close()
        await upstream.stop()
    if code != 0:
        run.failures.append(f"llm-proxy ended with {code}")
    if after[0] > before[0] + MAX_GROWTH_KB:
        run.failures.append(f"memory: {before[0]} KB, then {after[0]} KB")
    if after[1] > before[1] + MAX_MORE_DESCRIPTORS:
        run.failures.append(f"descriptors: {before[1]}, then {after[1]}")
    run.failures += [f"upstream: {text}" for text in upstream.problems]
    for text in sorted(run.failures):
        print("FAILED", text)
    print(f"memory {before[0]} -> {after[0]} KB, descriptors {before[1]} -> "
          f"{after[1]}, {run.healthy} healthy calls meanwhile")
    print(f"{run.passed} passed, {len(run.failures)} failed")
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2:])))
