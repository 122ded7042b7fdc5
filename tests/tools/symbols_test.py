"""Proves that llmproxy_core does no I/O.

No socket, file, environment, thread, clock or curl symbol is undefined in its
archive. The libraries above it go through the same list and must be caught
for every kind of symbol: a list that catches nothing would be no proof.
What a program of the core alone loads, consumer_test.py looks at.

  symbols_test.py BUILD_DIR
"""

import re
import subprocess
import sys

# Demangled names, matched from their beginning.
FORBIDDEN = {
    "socket": r"(socket|socketpair|connect|bind|listen|accept4?|shutdown|"
              r"send|sendto|sendmsg|recv|recvfrom|recvmsg|poll|ppoll|select|"
              r"epoll_\w+|eventfd|getaddrinfo|gethostby\w+|[gs]etsockopt)$",
    "file": r"(open|open64|openat|creat|close|read|pread\w*|write|pwrite\w*|"
            r"fopen\w*|fdopen|fread|fwrite|fputs|puts|putchar|v?f?printf|"
            r"__v?f?printf_chk|stat\w*|mmap\w*|unlink|rename|"
            r"std::filesystem::|std::basic_[io]?fstream<|"
            r"std::basic_filebuf<|std::c(out|err|in|log)$|"
            r"std::ios_base::Init|fmt::v\d+::v?print\()",
    "environment": r"(getenv|secure_getenv|setenv|unsetenv|putenv|environ)$",
    "thread": r"(pthread_(create|join|detach|mutex_\w+|cond_\w+)$|"
              r"std::thread::|std::this_thread::|std::condition_variable::|"
              r"std::__future_base::|sem_\w+$|fork$|execv\w*$)",
    "clock": r"(clock_\w+|clock|time|gettimeofday|localtime\w*|gmtime\w*|"
             r"mktime|nanosleep|usleep|sleep)$|"
             r"std::chrono::_V2::\w+::now\(\)|std::random_device::",
    "curl": r"curl_",
}


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def undefined_symbols(archive):
    """Set of (object file, demangled symbol without its version)."""
    found = set()
    for line in output("nm", "-C", "-u", "-A", archive).splitlines():
        where, kind, symbol = line.partition(" U ")
        if kind:
            found.add((where.split(":")[1], symbol.split("@")[0]))
    return found


def forbidden(symbols):
    for where, symbol in sorted(symbols):
        for kind, pattern in FORBIDDEN.items():
            if re.match(pattern, symbol):
                yield kind, f"{where}: {kind}: {symbol}"


def archive_faults(core, above):
    symbols = undefined_symbols(core)
    yield from (text for _, text in forbidden(symbols))
    caught = {kind for archive in above
              for kind, _ in forbidden(undefined_symbols(archive))}
    for kind in FORBIDDEN:
        if kind not in caught:
            yield f"finds no {kind} symbol in {' '.join(above)}"


def main():
    build_dir, = sys.argv[1:]
    core, *above = (f"{build_dir}/lib/libllmproxy-{name}.a"
                    for name in ("core", "client", "gateway"))
    faults = list(archive_faults(core, above))
    for fault in faults:
        print(fault)
    print(f"symbols: {len(undefined_symbols(core))} undefined in the core, "
          f"{len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
