"""Asks /healthz again and again, in a process of its own: the load would
disturb the clock. Arguments: ports. Ends when its input does, and writes
{port: [[seconds...], [lateness...]]}."""

import http.client
import json
import select
import sys
import time

PAUSE = 0.1


def ask(port):
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/healthz")
        if connection.getresponse().status != 200:
            return None
    except OSError:
        return None
    finally:
        connection.close()
    return time.monotonic() - began


def main():
    ports = [int(text) for text in sys.argv[1:]]
    seen = {port: [] for port in ports}
    late, failed = [], 0
    while True:
        due = time.monotonic() + PAUSE
        if select.select([sys.stdin], [], [], PAUSE)[0]:
            break
        late.append(max(time.monotonic() - due, 0))
        for port in ports:
            seconds = ask(port)
            if seconds is None:
                failed += 1
            else:
                seen[port].append(seconds)
    print(json.dumps({"seen": seen, "late": late, "failed": failed}))


if __name__ == "__main__":
    main()
