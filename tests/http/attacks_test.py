"""Attacks the real llm-proxy and looks at what the others notice, and at what
it costs: what it holds in memory, and how long /healthz takes meanwhile.

  attacks_test.py LLM_PROXY [NAME...] [--p99 MILLISECONDS]

The bounds are generous, so that a busy machine or a sanitizer breaks none; what
they guard against is off by an order. A quiet machine and a release hold --p99,
the most that 99 of 100 probes may take. Prints "N passed, N failed".
"""

import argparse
import contextlib
import functools
import json
import multiprocessing
import os
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time

from proxy import PATIENCE, Proxy, Upstream

MIB = 1 << 20
# What an attack may add to what the idle process holds.
HELD = 64 * MIB
# Seconds an attack goes on.
ATTACK = 3
HEALTH = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
CHUNKED = (b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n"
           b"transfer-encoding: chunked\r\n\r\n")

OPEN = """
server: {port: 0}
log: {level: "off"}
backends: {demo: {base_url: "demo:"}}
models: {demo: demo}
"""
# Images that are fetched at once.
IMAGES = 32
PICTURED = """
server: {{port: 0}}
log: {{level: "off"}}
backends: {{bedrock: {{provider: bedrock, base_url: "http://127.0.0.1:1",
                     api_key: k}}}}
models: {{claude: bedrock}}
images: {{max_concurrent: %d, allow_addresses: ["127.0.0.1:{port}"]}}
""" % IMAGES
KEYED = OPEN.replace("{port: 0}", "{port: 0, client_keys: [client-key]}")
TIGHT = OPEN.replace(
    "{port: 0}",
    "{port: 0, max_body_bytes: 1000000, max_bytes_in_flight: 3000000}")


# What --p99 says, in seconds.
p99 = None


class Fault(Exception):
    """What went wrong."""


def check(right, message):
    if not right:
        raise Fault(message)


class Crowd:
    """Processes that each do the same until stop(). (Threads of this process
    would keep its probes waiting, and that is not what is measured.)"""

    def __init__(self, count, work):
        fork = multiprocessing.get_context("fork")
        self.over = fork.Event()
        self.done = fork.Value("i", 0)
        self.members = [fork.Process(target=self.repeat, args=(work,))
                        for _ in range(count)]
        for member in self.members:
            member.start()

    def repeat(self, work):
        with contextlib.suppress(OSError):
            for _ in work(self.over.is_set):
                with self.done.get_lock():
                    self.done.value += 1

    def stop(self):
        """How many rounds were done."""
        self.over.set()
        for member in self.members:
            member.join(PATIENCE)
        return self.done.value


def receive_answer(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def probe(proxy):
    """Seconds that one /healthz takes, on a connection of its own."""
    begin = time.monotonic()
    with proxy.connect() as connection:
        connection.sendall(HEALTH)
        answer = receive_answer(connection)
    check(b" 200 " in answer, f"/healthz answered {answer[:80]!r}")
    return time.monotonic() - begin


def probes_for(proxy, seconds):
    end = time.monotonic() + seconds
    times = []
    while time.monotonic() < end:
        times.append(probe(proxy))
        time.sleep(0.01)
    return times


def milliseconds(seconds):
    return f"{1000 * seconds:.1f} ms"


def watch(proxy, count, work):
    """Lets `count` processes attack and probes meanwhile: more than there are
    processors, as each of those has a loop that is to be held."""
    idle = probes_for(proxy, 1)
    crowd = Crowd(max(count, (os.cpu_count() or 1) + 1), work)
    try:
        during = probes_for(proxy, ATTACK)
    finally:
        rounds = crowd.stop()
    # Where the loops are held, the first probe takes as long as the attack.
    worst = max(during)
    middle = statistics.median(during)
    # Few probes were slow ones: then the worst counts.
    late = statistics.quantiles(during, n=100)[98] \
        if len(during) >= 100 else worst
    print(f"  idle p50 {milliseconds(statistics.median(idle))}, during: "
          f"{len(during)} probes, p50 {milliseconds(middle)}, "
          f"p99 {milliseconds(late)}, worst {milliseconds(worst)}, "
          f"{rounds} rounds")
    check(rounds, "there was no attack")
    check(worst < ATTACK / 2, f"a probe took {worst:.2f} s")
    check(middle < ATTACK / 10, f"probes take {middle:.2f} s")
    check(p99 is None or late <= p99, f"p99 is {milliseconds(late)}")


def holds_little(proxy, attack):
    """Runs `attack` and compares what the proxy held with before."""
    probe(proxy)
    before = proxy.rss()
    most = 0
    for _ in attack:
        most = max(most, proxy.rss())
    most = max(most, proxy.rss())
    print(f"  idle {before // MIB} MiB, at most {most // MIB} MiB")
    check(most - before < HELD, f"{(most - before) // MIB} MiB more than idle")


# --- Time ------------------------------------------------------------------


def chunks_of_one_byte(proxy):
    def work(over):
        piece = b"1\r\nx\r\n" * 10000
        while not over():
            with proxy.connect() as connection:
                connection.sendall(CHUNKED)
                while not over():
                    connection.sendall(piece)
                    yield
    watch(proxy, 3, work)


def many_requests_on_one_connection(proxy):
    def work(over):
        with proxy.connect() as connection:
            def read():
                with contextlib.suppress(OSError):
                    while connection.recv(1 << 20):
                        pass
            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            while not over():
                connection.sendall(HEALTH * 500)
                yield
            connection.shutdown(socket.SHUT_RDWR)
            reader.join()
    watch(proxy, 3, work)


def large_bodies(proxy):
    def work(over):
        size = 30 * MIB
        head = (b"POST /api/event_logging/batch HTTP/1.1\r\nhost: localhost\r\n"
                b"content-length: %d\r\n\r\n" % size)
        piece = bytes(MIB)
        while not over():
            with proxy.connect() as connection:
                connection.sendall(head)
                for _ in range(size // MIB):
                    connection.sendall(piece)
                receive_answer(connection)
                yield
    watch(proxy, 6, work)


def empty_lines(proxy):
    def work(over):
        with proxy.connect() as connection:
            while not over():
                connection.sendall(b"\r\n" * 20000)
                yield
    watch(proxy, 3, work)


def what_nobody_reads(proxy):
    """Bodies behind a refusal, which are read and thrown away."""
    def work(over):
        piece = bytes(MIB)
        while not over():
            with proxy.connect() as connection:
                connection.sendall(b"POST /nowhere HTTP/1.1\r\n"
                                   b"host: localhost\r\n"
                                   b"content-length: 100000000\r\n\r\n")
                with contextlib.suppress(OSError):
                    while not over():
                        connection.sendall(piece)
                        yield
    watch(proxy, 3, work)


class SlowImages(Upstream):
    """A host of images that sends none."""

    def answer(self, connection, request):
        pass


def slow_images(proxy, host):
    """Requests that each wait for images of a host that never sends them:
    more at once than there are threads for what blocks."""
    images = [{"type": "image_url",
               "image_url": {"url": f"http://127.0.0.1:{host.port}/{n}.png"}}
              for n in range(4)]
    body = json.dumps({"model": "claude", "messages": [
        {"role": "user", "content": images}]}).encode()
    request = (b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
               b"content-length: %d\r\n\r\n" % len(body)) + body

    def work(over):
        with contextlib.ExitStack() as stack:
            for _ in range(50):
                connection = stack.enter_context(proxy.connect())
                connection.sendall(request)
                yield
            while not over():
                time.sleep(0.01)
    watch(proxy, 2, work)
    asked = len(host.seen)
    check(asked == IMAGES, f"{asked} images were asked for, not {IMAGES}")


# --- Memory ----------------------------------------------------------------


def chunk_extensions(proxy):
    def attack():
        with proxy.connect() as connection:
            connection.sendall(CHUNKED)
            piece = (b"1;" + b"a" * 1013 + b"\r\nx\r\n") * 100
            # Never a piece that ends where a read does.
            connection.sendall(piece[:-500])
            try:
                for _ in range(2000):
                    connection.sendall(piece[-500:] + piece[:-500])
                    yield
            except OSError:
                pass
    holds_little(proxy, attack())


def large_heads(proxy):
    def attack():
        head = HEALTH[:-2] + b"a: " + b"b" * 7900 + b"\r\n"
        head += (b"a: " + b"b" * 7900 + b"\r\n") * 6 + b"\r\n"
        with proxy.connect() as connection:
            def read():
                with contextlib.suppress(OSError):
                    while connection.recv(1 << 20):
                        pass
            threading.Thread(target=read, daemon=True).start()
            connection.sendall(head[:500])
            for _ in range(2000):
                connection.sendall(head[500:] + head[:500])
                yield
    holds_little(proxy, attack())


def bodies_without_a_key(proxy):
    def attack():
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                connection = stack.enter_context(proxy.connect())
                connection.sendall(
                    b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n"
                    b"x-api-key: wrong\r\ncontent-length: 63000000\r\n\r\n")
                answer = receive_answer(connection)
                check(b" 401 " in answer, f"no 401: {answer[:80]!r}")
                with contextlib.suppress(OSError):
                    for _ in range(20):
                        connection.sendall(bytes(MIB))
                yield
    holds_little(proxy, attack())


def bodies_beyond_the_budget(proxy):
    head = (b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n"
            b"content-length: 900000\r\n\r\n")
    with contextlib.ExitStack() as stack:
        refused = []
        held = []
        for _ in range(8):
            connection = stack.enter_context(proxy.connect())
            connection.sendall(head + bytes(899999))
            held.append(connection)
        # Who comes last is refused; those that fit wait for their last byte.
        deadline = time.monotonic() + PATIENCE
        while len(refused) < 5 and time.monotonic() < deadline:
            for connection in held:
                connection.settimeout(0.01)
                with contextlib.suppress(TimeoutError):
                    refused.append(receive_answer(connection))
                    held.remove(connection)
                    break
        check(len(refused) == 5, f"{len(refused)} of 8 were refused")
        for answer in refused:
            check(b" 503 " in answer and b"retry-after: 1" in answer,
                  f"no 503: {answer!r}")
        # The place of one that leaves is free again.
        held.pop().close()
        while time.monotonic() < deadline:
            with proxy.connect() as connection:
                connection.sendall(head + bytes(900000))
                if b" 400 " in receive_answer(connection):
                    return
        raise Fault("what was held is not given back")


# --- Ends ------------------------------------------------------------------

UPSTREAM = """
server: {{port: 0, shutdown_seconds: 0.2}}
log: {{file: log.txt, format: text}}
backends:
  raw: {{provider: openai, base_url: "http://127.0.0.1:{port}", api_key: k}}
models: {{raw: raw}}
"""
EVENT = (b'data: {"id":"c","object":"chat.completion.chunk","created":1,'
         b'"model":"m","choices":[{"index":0,"delta":{"content":"begun"},'
         b'"finish_reason":null}]}\n\n')


class Silent(Upstream):
    """Begins a stream, or nothing, and never goes on."""

    def answer(self, connection, request):
        if b'"stream":true' in request:
            connection.sendall(b"HTTP/1.1 200 OK\r\n"
                               b"content-type: text/event-stream\r\n\r\n"
                               + EVENT)


STREAMS = {
    "/v1/messages": b"overloaded_error",
    "/v1/chat/completions": b'"error"',
    "/v1/responses": b"response.failed",
}


def chat(path, stream):
    member = b'"input":"hi"' if path.endswith("responses") else \
        b'"messages":[{"role":"user","content":"hi"}]'
    body = (b'{"model":"raw","max_tokens":9,"stream":'
            + (b"true" if stream else b"false") + b"," + member + b"}")
    return (b"POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n"
            % (path.encode(), len(body)) + body)


def read_all(connection):
    data = b""
    with contextlib.suppress(OSError):
        while piece := connection.recv(65536):
            data += piece
    return data


def logged(folder, count):
    """The log, once it has `count` lines."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(folder, "log.txt"),
                      encoding="ascii") as file:
                lines = file.read().splitlines()
            if len(lines) >= count:
                return lines
        time.sleep(0.01)
    raise Fault("the log has too few lines")


def a_shutdown(binary, folder):
    upstream = Silent()
    proxy = Proxy(binary, folder, "shutdown",
                  UPSTREAM.format(port=upstream.port))
    connections = {}
    for path in STREAMS:
        for stream in (True, False):
            connection = connections[path, stream] = proxy.connect()
            connection.sendall(chat(path, stream))
            if stream:
                while b"begun" not in (piece := connection.recv(65536)):
                    check(piece, f"{path}: the stream does not begin")
    while len(upstream.seen) < len(connections):
        time.sleep(0.01)
    check(proxy.stop() == 0, "the exit code is not 0")
    for (path, stream), connection in connections.items():
        rest = read_all(connection)
        what = f"{path} {'stream' if stream else 'whole'}: {rest!r}"
        check(b"shutting down" in rest, what)
        if stream:
            check(STREAMS[path] in rest and rest.endswith(b"0\r\n\r\n"), what)
        else:
            check(b"HTTP/1.1 5" in rest and b"retry-after: 1" in rest, what)
    for line in logged(folder, len(connections)):
        check("outcome=shutdown" in line, line)


def ask_for_nothing(proxy):
    """A request that is logged, as those of probes are not."""
    with proxy.connect() as connection:
        connection.sendall(b"GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n")
        check(b" 404 " in receive_answer(connection), "it is not 404")


def a_hangup_signal(binary, folder):
    upstream = Upstream()
    os.remove(os.path.join(folder, "log.txt"))
    proxy = Proxy(binary, folder, "hangup", UPSTREAM.format(port=upstream.port))
    ask_for_nothing(proxy)
    logged(folder, 1)
    os.rename(os.path.join(folder, "log.txt"), os.path.join(folder, "old.txt"))
    proxy.process.send_signal(signal.SIGHUP)
    while not os.path.exists(os.path.join(folder, "log.txt")):
        check(proxy.process.poll() is None, "it ended")
        time.sleep(0.01)
    # Its thread for the log may still be on its way to the new file.
    while not os.path.getsize(os.path.join(folder, "log.txt")):
        ask_for_nothing(proxy)
    check(proxy.stop() == 0, "the exit code is not 0")


ATTACKS = {
    OPEN: [chunks_of_one_byte, many_requests_on_one_connection, large_bodies,
           empty_lines, what_nobody_reads, chunk_extensions, large_heads],
    KEYED: [bodies_without_a_key],
    TIGHT: [bodies_beyond_the_budget],
}
ENDS = [a_shutdown, a_hangup_signal]


def attempt(name, work):
    """Runs one test; whether it came out right."""
    print(name.replace("_", " "), flush=True)
    try:
        work()
    except (Fault, OSError) as fault:
        print(f"  FAILED: {fault}")
        return False
    return True


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--p99", type=float)
    return parser.parse_args()


def main():
    global p99
    given = arguments()
    binary, wanted = given.binary, given.names
    p99 = given.p99 and given.p99 / 1000
    host = SlowImages()
    attacks = [(attack, config) for config, several in ATTACKS.items()
               for attack in several]
    attacks.append((functools.partial(slow_images, host=host),
                    PICTURED.format(port=host.port)))
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for attack, config in attacks:
            name = getattr(attack, "func", attack).__name__
            if wanted and name not in wanted:
                continue
            proxy = Proxy(binary, folder, name, config)
            results.append(attempt(name, lambda a=attack, p=proxy: a(p)))
            proxy.stop()
        for end in ENDS:
            if not wanted or end.__name__ in wanted:
                results.append(attempt(end.__name__,
                                       lambda e=end: e(binary, folder)))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
