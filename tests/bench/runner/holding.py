"""What happens over time and under abuse: whether others feel clients that
hold connections, and whether memory stays where it is. Like measures.py, each
function returns the raw numbers of one cell."""

import contextlib
import os
import statistics
import subprocess
import threading
import time

from runner import measures, processes

# Clients that misbehave: (row, bench_load's mode, its options). Slow readers
# ask for a stream of half a megabyte and take a byte a second of it; it counts
# once all buffers between them and the upstream are full.
ABUSES = (
    ("alone", None, {}),
    ("1,000 clients read slowly", "slow",
     {"connections": 1000, "interval": 1, "read": True, "events": 500,
      "interval_us": 0, "text_bytes": 1000}),
    ("1,000 clients send a byte a second", "slow",
     {"connections": 1000, "interval": 1}),
    ("5,000 connections are idle", "idle", {"connections": 5000}),
)
ROUTES = (measures.NGINX, measures.PASSTHROUGH)
HELD_SECONDS = 30
REQUESTS = (20_000, 200_000)
WAVES = (2, 20)
WAVE = {"streams": 1000, "count": 1000, "events": 20, "interval_us": 20_000}


def open_files(process):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in process.pids())


def wait_for_files(process, count):
    """Until the process has so many descriptors; False = not in time."""
    deadline = time.monotonic() + HELD_SECONDS / 2
    while open_files(process) < count:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def wait_until_calm(process):
    """Until the process takes less than a tenth of a processor."""
    deadline = time.monotonic() + HELD_SECONDS / 2
    used = 1e9
    while used > 0.02e9 and time.monotonic() < deadline:
        before = process.cpu_ns()
        time.sleep(0.2)
        used = process.cpu_ns() - before


@contextlib.contextmanager
def abuser(bench, process, route, mode, options):
    """Clients that misbehave, there before this returns."""
    if mode is None:
        yield
        return
    _, _, dialect, prefix = route
    before = open_files(process)
    child = subprocess.Popen(
        processes.load_command(bench.load, mode, process.port, dialect, prefix,
                               seconds=HELD_SECONDS, **options),
        stdout=subprocess.DEVNULL)
    try:
        if not wait_for_files(process, before + options["connections"]):
            bench.faults.append(f"{route[0]}: {mode} clients were not taken")
        wait_until_calm(process)
        yield
    finally:
        child.kill()
        child.wait()


def abused(bench, route):
    """Calls of eight well-behaved clients beside each kind of abuse."""
    name, place, dialect, prefix = route
    out = {}
    for row, mode, options in ABUSES:
        with bench.fresh(place) as process, \
                abuser(bench, process, route, mode, options):
            result = processes.load(bench.load, "calls", process.port, dialect,
                                    prefix, connections=8, seconds=1.5,
                                    warmup=0.3)
        bench.faults.calls(f"{row}, {name}", result)
        out[row] = {key: result["latency_us"][key] for key in ("p50", "p99")}
        measures.settle(bench.mock)
    return out


def newcomers(process, path, count=300):
    """Milliseconds of GETs, each on a connection of its own."""
    times = []
    for _ in range(count):
        began = time.monotonic()
        status, _ = processes.get(process.port, path)
        if status == 200:
            times.append((time.monotonic() - began) * 1000)
    return {"answered": len(times), "asked": count,
            "p50": statistics.median(times), "most": max(times)}


def crowded(bench, route, streams):
    """New connections while so many streams run, and before them."""
    name, place, dialect, prefix = route
    events, interval, ramp = measures.STREAM_SHAPES[streams]
    path = "/stats" if place == "nginx" else "/health"
    with bench.fresh(place) as process:
        before = newcomers(process, path)
        files = open_files(process)
        result = {}

        def run():
            result.update(processes.load(
                bench.load, "streams", process.port, dialect, prefix,
                streams=streams, ramp=ramp, events=events + 6,
                interval_us=interval, limit=measures.STREAM_LIMIT))

        thread = threading.Thread(target=run)
        thread.start()
        wait_for_files(process, files + 2 * streams)
        during = newcomers(process, path)
        thread.join()
    bench.faults.streams(f"{streams} streams and newcomers, {name}", result)
    lost = during["asked"] - during["answered"]
    if lost:
        bench.faults.append(f"{lost} newcomers were not answered, {name}")
    return {"alone": before, "crowded": during}


def flat(bench, route):
    """Resident MB after some and after many requests, and after waves of
    streams of which many are left by their clients."""
    name, place, dialect, prefix = route
    out = {}
    with bench.fresh(place) as process:
        done = 0
        for count in REQUESTS:
            result = processes.load(bench.load, "calls", process.port, dialect,
                                    prefix, connections=32,
                                    count=count - done)
            bench.faults.calls(f"{count} requests, {name}", result)
            out[f"{count:,} requests"] = process.resident() / 1e6
            done = count
        for wave in range(1, WAVES[-1] + 1):
            processes.load(bench.load, "leave", process.port, dialect, prefix,
                           seed=wave, ramp=5000, **WAVE)
            if wave in WAVES:
                measures.settle(process)
                out[f"{wave} waves of 1,000 streams"] = \
                    process.resident() / 1e6
    return out
