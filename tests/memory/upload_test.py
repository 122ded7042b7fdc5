"""What an upload costs: peak memory of the real process while it takes one of
half a gigabyte and sends it on, to an upstream that reads at once and to one
that takes its time.

  upload_test.py LLM_PROXY [--mib 512] [--most 64]

Fails where the peak is more than --most MiB above what the idle process holds,
or the upstream got other bytes. Prints "uploads: N, N faults" last.
"""

import argparse
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "http"))

from proxy import Proxy  # noqa: E402
from uploads import Client, Form, Upstream  # noqa: E402

MIB = 1 << 20
PATIENCE = 600
CONFIG = """
server: {{port: 0, client_keys: ["client-key"], upload_folder: "{folder}"}}
log: {{level: "off"}}
backends:
  up: {{provider: openai, api_key: k, base_url: "http://127.0.0.1:{port}/v1"}}
models:
  hear: {{backend: up, model: whisper-large-v3-turbo}}
"""


def memory(proxy, name):
    """A line of /proc/PID/status, in MiB."""
    path = pathlib.Path(f"/proc/{proxy.process.pid}/status")
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(name)


def measure(binary, size, most, *, chunked, model_last, piece, pause):
    what = (f"{size // MIB} MiB, model {'last' if model_last else 'first'}, "
            f"{'chunked' if chunked else 'by length'}, "
            f"{'slow' if pause else 'fast'} upstream")
    upstream = Upstream()
    upstream.piece, upstream.pause = piece, pause
    with tempfile.TemporaryDirectory() as folder:
        proxy = Proxy(binary, folder, "upload", CONFIG.format(
            port=upstream.port, folder=folder))
        try:
            with Client(proxy.port, PATIENCE) as client:
                client.send("/v1/audio/transcriptions",
                            Form("hear", 100, model_last))
                client.answer()
            idle, begin = memory(proxy, "VmRSS"), time.monotonic()
            with Client(proxy.port, PATIENCE) as client:
                client.send("/v1/audio/transcriptions",
                            Form("hear", size, model_last), chunked=chunked)
                status, _ = client.answer()
            peak = memory(proxy, "VmHWM")
        finally:
            proxy.stop()
    print(f"{what}: {status}, idle {idle:.1f} MiB, peak {peak:.1f} MiB, "
          f"+{peak - idle:.1f}, {time.monotonic() - begin:.1f} s", flush=True)
    wanted = Form("whisper-large-v3-turbo", size, model_last)
    if status != 200:
        yield f"{what}: status {status}"
    elif upstream.seen[-1]["sha256"] != wanted.digest():
        yield f"{what}: the upstream got other bytes"
    if peak - idle >= most:
        yield f"{what}: {peak - idle:.1f} MiB above idle"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--mib", type=int, default=512)
    parser.add_argument("--most", type=float, default=64)
    arguments = parser.parse_args()
    size = arguments.mib * MIB
    fast = {"piece": MIB, "pause": 0}
    # Some seconds for all of it.
    slow = {"piece": 8 * MIB, "pause": 0.05}
    faults = []
    ways = (dict(chunked=False, model_last=True, **fast),
            dict(chunked=True, model_last=False, **fast),
            dict(chunked=False, model_last=True, **slow))
    for way in ways:
        faults += measure(arguments.binary, size, arguments.most, **way)
    for fault in faults:
        print("FAULT", fault)
    print(f"uploads: {len(ways)}, {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
