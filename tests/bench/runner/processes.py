"""Processes of a measurement: the mock upstream, nginx, llm-proxy, clients.

Each is a context manager that ends its process. CPU time and memory are those
of the process and of its children.
"""

import http.client
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import time

# Each dialect, and the row of llm-proxy's provider table that speaks it.
PROVIDERS = {
    "openai-chat": "openai", "openai-responses": "openai-responses",
    "claude": "anthropic", "gemini": "gemini", "bedrock": "bedrock-claude",
    "bedrock-converse": "bedrock",
}
START_SECONDS = 20


def raise_descriptor_limit():
    """Gives the hard limit to this process and its children."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path):
    """Status and body of a GET; status 0 = nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


class Process:
    """A child process with a port on 127.0.0.1."""

    port = 0

    def __init__(self, arguments, **options):
        self.child = subprocess.Popen(arguments, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.child.poll() is not None:
            return
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(15)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def wait_for(self, path, pause=0.01):
        """Until it answers 200 (any status, without a path)."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise RuntimeError(f"{self.child.args[0]} ended with "
                                   f"{self.child.returncode}")
            status, _ = get(self.port, path or "/stats")
            if status == 200 or (status and not path):
                return
            time.sleep(pause)
        raise RuntimeError(f"{self.child.args[0]} does not answer")

    def pids(self):
        pid = self.child.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        return [pid] + [int(one) for one in children.read_text().split()]

    def cpu_ns(self):
        """CPU time so far. The kernel's clock of a process counts threads
        that have ended, and has no ticks (clock_getcpuclockid(3))."""
        return sum(time.clock_gettime_ns(~pid << 3 | 2) for pid in self.pids())

    def resident(self):
        """Resident memory now. Bytes."""
        total = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/statm").read_text().split()
            total += int(fields[1]) * resource.getpagesize()
        return total


class Mock(Process):
    def __init__(self, binary):
        super().__init__([binary], stdout=subprocess.PIPE, text=True)
        self.port = int(self.child.stdout.readline())

    def stats(self):
        return json.loads(get(self.port, "/stats")[1])


NGINX = """
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections {files}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  upstream mock {{
    server 127.0.0.1:{mock};
    keepalive 512;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }}
  }}
}}
"""


def nginx_binary():
    """Debian has it where only root's PATH leads."""
    return shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")


class Nginx(Process):
    def __init__(self, folder, mock, files):
        self.port = free_port()
        config = pathlib.Path(folder) / "nginx.conf"
        config.write_text(NGINX.format(
            user="user root;" if os.geteuid() == 0 else "", folder=folder,
            files=files, mock=mock.port, port=self.port), encoding="ascii")
        super().__init__([nginx_binary(), "-p", folder, "-c", str(config),
                          "-e", f"{folder}/error.log"])
        self.wait_for(None)


def proxy_config(mock, log_file):
    """A backend for each dialect; the model's name begins with the one that
    is meant: `claude-mock-e20`."""
    lines = ["server: {host: 127.0.0.1, max_connections: 20000}",
             f"log: {{level: info, file: {log_file}}}" if log_file
             else "log: {level: 'off'}",
             "backends:"]
    for name, provider in PROVIDERS.items():
        lines.append(f"  {name}: {{provider: {provider}, api_key: key, "
                     f"base_url: http://127.0.0.1:{mock.port}}}")
    lines.append("models:")
    lines += [f'  "{name}-*": {{backend: {name}, model: "*"}}'
              for name in PROVIDERS]
    return "\n".join(lines) + "\n"


class Proxy(Process):
    def __init__(self, binary, folder, mock, log_file=None, pause=0.01):
        self.port = free_port()
        config = pathlib.Path(folder) / f"proxy-{self.port}.yaml"
        config.write_text(proxy_config(mock, log_file), encoding="ascii")
        began = time.monotonic()
        super().__init__([binary, "serve", "--config", str(config),
                          "--port", str(self.port)],
                         stdout=subprocess.DEVNULL)
        self.wait_for("/health", pause)
        self.start_seconds = time.monotonic() - began


def load_command(binary, mode, port, dialect, prefix="", **options):
    arguments = [binary, mode, "--port", str(port), "--dialect", dialect,
                 "--model-prefix", prefix]
    for name, value in options.items():
        arguments.append("--" + name.replace("_", "-"))
        if value is not True:
            arguments.append(str(value))
    return arguments


def load(*arguments, **options):
    """Runs bench_load and gives its numbers."""
    result = subprocess.run(load_command(*arguments, **options),
                            stdout=subprocess.PIPE, check=True)
    return json.loads(result.stdout)
