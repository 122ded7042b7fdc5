"""What is measured, and how one number comes about. Each function returns
the raw numbers of one cell of one round; run.py takes the medians."""

import pathlib
import shutil
import statistics
import subprocess
import threading
import time

from runner import processes

# How a request goes: (name, process, client's dialect, model's prefix).
DIRECT = ("direct", "mock", "openai-chat", "")
NGINX = ("nginx", "nginx", "openai-chat", "")
PASSTHROUGH = ("passthrough", "proxy", "openai-chat", "openai-chat-")
CALL_ROUTES = (
    DIRECT, NGINX, PASSTHROUGH,
    ("openai-chat -> claude", "proxy", "openai-chat", "claude-"),
    ("claude -> openai-chat", "proxy", "claude", "openai-chat-"),
    ("claude -> openai-responses", "proxy", "claude", "openai-responses-"),
    ("passthrough, access log", "logging", "openai-chat", "openai-chat-"),
)
STREAM_ROUTES = (DIRECT, NGINX, PASSTHROUGH,
                 ("claude -> openai-chat", "proxy", "claude", "openai-chat-"))

# Streams at once: (text events, us between them, streams opened a second).
# All are open together for a while; 5,000 to 10,000 events a second.
STREAM_SHAPES = {
    100: (300, 20_000, 1000),
    500: (20, 100_000, 2000),
    2000: (40, 200_000, 2000),
    8000: (12, 1_000_000, 2000),
}
# Seconds after which streams that are still open are given up: the slowest
# shape takes 16 when nothing stalls.
STREAM_LIMIT = 100


class Faults(list):
    """Lost streams and failed requests; any of them fails the run."""

    def calls(self, name, result):
        if result["errors"]:
            self.append(f"{name}: {result['errors']} calls failed, the last "
                        f"with status {result['error_status']}")

    def streams(self, name, result):
        lost = result["short"] + result["failed"]
        if lost:
            self.append(f"{name}: {lost} of {result['streams']} streams lost "
                        f"({result['short']} short, of which "
                        f"{result['given_up']} given up after {STREAM_LIMIT} "
                        f"s; {result['failed']} failed, status "
                        f"{result['failed_status']})")


def calls(bench, route, connections, seconds):
    """A closed loop of calls through one route."""
    name, place, dialect, prefix = route
    process = bench.places[place]
    mock_before = bench.mock.stats()
    options = {"connections": connections}
    # Connections, threads and pools are there before it counts.
    processes.load(bench.load, "calls", process.port, dialect, prefix,
                   seconds=0.1 + connections / 1000, **options)
    cpu = process.cpu_ns()
    result = processes.load(bench.load, "calls", process.port, dialect, prefix,
                            seconds=seconds, **options)
    cpu = process.cpu_ns() - cpu
    mock_after = bench.mock.stats()
    bench.faults.calls(f"calls, {connections} connections, {name}", result)
    requests = max(result["requests"], 1)
    seen = {key: mock_after[key] - mock_before[key] for key in mock_after}
    return {"requests_per_second": result["requests_per_second"],
            "cpu_us": cpu / 1000 / requests,
            "p50": result["latency_us"]["p50"],
            "p99": result["latency_us"]["p99"],
            "upstream_connections": seen["connections"],
            "upstream_requests": seen["requests"]}


class MemoryWatch(threading.Thread):
    """The most memory that a process has while something runs."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process = process
        self.most = process.resident()
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.1):
            self.most = max(self.most, self.process.resident())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


def streams(bench, route, count):
    """Streams through one route, by a process that has done nothing else."""
    name, place, dialect, prefix = route
    events, interval, ramp = STREAM_SHAPES[count]
    with bench.fresh(place) as process:
        before = process.resident()
        cpu = process.cpu_ns()
        with MemoryWatch(process) as memory:
            result = processes.load(
                bench.load, "streams", process.port, dialect, prefix,
                streams=count, ramp=ramp, events=events, interval_us=interval,
                limit=STREAM_LIMIT)
        cpu = process.cpu_ns() - cpu
    bench.faults.streams(f"{count} streams, {name}", result)
    nothing = {"p50": None, "p99": None}
    event, first_event, first_byte = (
        result[key] or nothing
        for key in ("event_us", "first_event_us", "first_byte_us"))
    return {"complete": result["complete"], "short": result["short"],
            "failed": result["failed"], "peak": result["peak"],
            "event_p50": event["p50"], "event_p99": event["p99"],
            "first_event_p50": first_event["p50"],
            "first_event_p99": first_event["p99"],
            "first_byte_p50": first_byte["p50"],
            "cpu_us": cpu / 1000 / max(result["events"], 1),
            "memory_kb": (memory.most - before) / count / 1000}


def start_up(bench, runs):
    """Milliseconds from the start to the first answer, and resident memory
    a moment later, of several runs."""
    times, memory = [], []
    for _ in range(runs):
        with bench.fresh("proxy", pause=0.0005) as process:
            times.append(process.start_seconds * 1000)
            memory.append(process.resident() / 1e6)
    return {"start_ms": statistics.median(times),
            "idle_mb": statistics.median(memory)}


def binary_mb(binary, folder):
    """Size of the binary without symbols; None = there is no strip."""
    if not shutil.which("strip"):
        return None
    copy = pathlib.Path(folder) / "stripped"
    subprocess.run(["strip", "-o", str(copy), binary], check=True)
    return copy.stat().st_size / 1e6


def settle(process, most=3.0):
    """Waits until a process is idle (its CPU clock stands still)."""
    deadline = time.monotonic() + most
    last = -1
    while time.monotonic() < deadline and last != process.cpu_ns():
        last = process.cpu_ns()
        time.sleep(0.2)
