"""llm-proxy as a process, for the tests in this folder."""

import os
import socket
import subprocess
import threading

# Seconds until a process is taken for one that hangs.
PATIENCE = 60


class Upstream:
    """Keeps the heads and bodies it is sent; answers 200 to all."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.seen = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,),
                             daemon=True).start()

    def serve(self, connection):
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                piece = connection.recv(65536)
                if not piece:
                    return
                received += piece
            head, _, rest = received.partition(b"\r\n\r\n")
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            while len(rest) < length:
                rest += connection.recv(65536)
            request = head + b"\r\n\r\n" + rest[:length]
            self.seen.append(request)
            received = rest[length:]
            self.answer(connection, request)

    def answer(self, connection, request):
        """What a request gets."""
        body = b"" if request.startswith(b"HEAD ") else b"{}"
        connection.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"connection: x-hop\r\nx-hop: 1\r\ncontent-length: 2\r\n\r\n"
            + body)


class Proxy:
    """llm-proxy, serving until stop(). `config` is YAML; its port is 0.
    `environment` is added to what it has."""

    def __init__(self, binary, folder, name, config, environment=None):
        path = os.path.join(folder, name + ".yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(config)
        self.process = subprocess.Popen(
            [os.path.abspath(binary), "--config", path],
            stdout=subprocess.PIPE, text=True, cwd=folder,
            env={"PATH": os.environ["PATH"],
                 # A sanitizer keeps what is freed, 256 MiB of it.
                 "ASAN_OPTIONS": "quarantine_size_mb=8",
                 **(environment or {})})
        welcome = self.process.stdout.readline()
        if "http://" not in welcome:
            raise SystemExit(f"llm-proxy did not start: {welcome}")
        self.port = int(welcome.split("http://127.0.0.1:")[1].split(",")[0])

    def connect(self):
        """A connection to it."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(PATIENCE)
        return connection

    def rss(self):
        """What it holds in memory now. Bytes."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self):
        """Ends it; its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)
