"""llm-proxy as a process for the tests of this folder: to its end, or serving;
with nothing of our environment."""

import atexit
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading

# Seconds until a process is taken for one that hangs.
PATIENCE = 60


def environment(more=None):
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC",
            **(more or {})}


def folder_with(files):
    """A folder with these files; its path."""
    folder = tempfile.mkdtemp(prefix="llmproxy-cli-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode()
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
        os.chmod(os.path.join(folder, name), 0o644)
    return folder


class Ended:
    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err


def run(binary, arguments, files=None, variables=None, entered=""):
    """Runs it to its end in a folder with these files."""
    folder = folder_with(files or {})
    done = subprocess.run(
        [os.path.abspath(binary), *arguments], input=entered, text=True,
        capture_output=True, cwd=folder, env=environment(variables),
        timeout=PATIENCE, check=False)
    ended = Ended(done.returncode, done.stdout, done.stderr)
    ended.folder = folder
    return ended


class Serving:
    """llm-proxy with a configuration, until the block ends."""

    def __init__(self, binary, config, variables=None):
        folder = folder_with({} if config is None else {"c.yaml": config})
        more = [] if config is None else ["--config", "c.yaml"]
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [os.path.abspath(binary), *more, "--port", "0"], text=True,
            stdout=subprocess.PIPE, stderr=self.log, cwd=folder,
            env=environment(variables))
        self.line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.line)
        if not found:
            raise SystemExit(f"llm-proxy did not start: {self.line}"
                             f"{self.told()}")
        self.port = int(found[1])
        self.line += self.process.stdout.readline()

    def told(self):
        self.log.seek(0)
        return self.log.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.code = self.process.wait(PATIENCE)

    def ask(self, head, body=b""):
        """What a raw request gets, status and body as text."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.settimeout(PATIENCE)
            connection.sendall(head + body)
            answer = b""
            while True:
                try:
                    piece = connection.recv(65536)
                except ConnectionResetError:
                    break
                if not piece:
                    break
                answer += piece
        return answer.decode("latin1")

    def post(self, path, body, headers=()):
        lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1",
                 "connection: close", "content-type: application/json",
                 f"content-length: {len(body)}", *headers]
        return self.ask(("\r\n".join(lines) + "\r\n\r\n").encode(),
                        body.encode())


class Upstream:
    """Answers each connection's first request by `answer`; "" resets it.
    With a certificate it speaks TLS."""

    def __init__(self, answer, certificate=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answer = answer
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,),
                             daemon=True).start()

    def serve(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection,
                                                      server_side=True)
            received = b""
            while b"\r\n\r\n" not in received:
                piece = connection.recv(65536)
                if not piece:
                    return
                received += piece
                if received.startswith(b"\x16"):
                    break  # no HTTP at all, which servers say at once
            connection.sendall(self.answer)
        except OSError:
            pass
        finally:
            connection.close()


def answer(status, body, kind="application/json"):
    data = body.encode()
    return (f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(data)}\r\nconnection: close\r\n\r\n"
            ).encode() + data


def certificate(folder):
    """A self-signed one; paths of certificate and key."""
    paths = (os.path.join(folder, "c.pem"), os.path.join(folder, "k.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
         "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
         paths[1], "-out", paths[0]], check=True, capture_output=True)
    return paths
