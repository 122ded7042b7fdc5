"""Runs the archive of `make dist` on fresh minimal systems.

  roots_test.py SOURCE_DIR OUT_DIR ROOTS_DIR [SUITE...] [--make-run]

A root is made once by debootstrap (minbase: no libcurl, no certificates) and
kept in ROOTS_DIR; each test works on a copy that is thrown away. In each the
archive must serve the demo within 10 seconds of being unpacked, and find the
roots of TLS where other distributions keep them. --consumer also compiles a
program on the archive's libraries with that system's compiler. --make-run does
in Debian 12 what the README says of a clone: `make run`, which installs and
compiles.

Needs root and a mirror of Debian.
"""

import argparse
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import archive
import tls

MIRROR = "http://deb.debian.org/debian"
SUITES = ("bookworm", "trixie")
# Seconds from the archive to an answer.
IN_TIME = 10
# Longest time for installing and compiling from nothing.
MAKE_RUN = 3600
# Where the roots of a system may lie; in a minimal one there are none.
CA_PLACES = ("etc/ssl/certs/ca-certificates.crt",
             "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/ca-bundle.pem",
             "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem")
CONFIG = """\
backends:
  secure: {{base_url: "{url}", api_key: a-key-of-the-test}}
  demo: {{}}
models: {{secure: secure, demo: demo}}
"""


def bootstrap(roots, suite):
    """A root of that suite; made when it is not there."""
    root = roots / suite
    if not (root / "usr/bin/apt-get").exists():
        shutil.rmtree(root, ignore_errors=True)
        roots.mkdir(parents=True, exist_ok=True)
        made = roots / (suite + ".part")
        shutil.rmtree(made, ignore_errors=True)
        subprocess.run(["debootstrap", "--variant=minbase", suite, made,
                        MIRROR], check=True, stdout=subprocess.DEVNULL)
        made.rename(root)
    return root


class Root:
    """A copy of a root, to be used and thrown away."""

    def __init__(self, root, scratch):
        self.path = scratch / root.name
        subprocess.run(["cp", "-a", "--reflink=auto", root, self.path],
                       check=True)
        self.proc = self.path / "proc"
        subprocess.run(["mount", "-t", "proc", "proc", self.proc], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.proc], check=True)

    def command(self, *words):
        return ["chroot", self.path, "env", "-i", "HOME=/root",
                "PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin", *words]

    def unpack(self, packed):
        subprocess.run(["tar", "-xzf", packed, "-C", self.path / "opt"],
                       check=True)
        return "/opt/" + packed.name.removesuffix(".tar.gz")


def name_of(root):
    text = (root / "etc/os-release").read_text("utf-8")
    return re.search(r'PRETTY_NAME="(.*)"', text)[1]


def cpu_seconds():
    """Of all processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check_serving(root, packed):
    """Seconds, of the clock and of CPU, from the archive to the demo's
    answer."""
    began, used = time.monotonic(), cpu_seconds()
    program = root.unpack(packed) + "/bin/llm-proxy"
    with archive.Server(*root.command(program)) as server:
        answer = server.ask()
        seconds = time.monotonic() - began
    used = cpu_seconds() - used
    if "hi" not in answer:
        raise SystemExit(f"the demo says {answer}")
    # Where others keep the machine busy, the clock says nothing of us.
    busy = os.getloadavg()[0] > os.cpu_count()
    if (used if busy else seconds) > IN_TIME:
        raise SystemExit(f"it took {seconds:.1f} s, {used:.1f} s of CPU")
    return seconds, used


def check_roots_of_trust(root, packed):
    """The archive's libcurl trusts what the system's file holds, wherever
    that lies, and nobody where there is none."""
    program = "/opt/" + packed.name.removesuffix(".tar.gz") + "/bin/llm-proxy"
    with tls.Upstream() as upstream:
        (root.path / "tmp/c.yaml").write_text(
            CONFIG.format(url=upstream.url), "ascii")
        for place in (None, *CA_PLACES):
            if place:
                file = root.path / place
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(upstream.ca_file, file)
            with archive.Server(*root.command(
                    program, "--config", "/tmp/c.yaml")) as server:
                status = server.status("secure")
            if status != (200 if place else 502):
                raise SystemExit(f"roots at {place}: {status}")
            if place:
                file.unlink()
    return len(CA_PLACES)


def apt(root, *packages):
    shutil.copy("/etc/resolv.conf", root.path / "etc/resolv.conf")
    for words in (("update", "-q"), ("install", "-y", "-q",
                                     "--no-install-recommends", *packages)):
        subprocess.run(root.command("DEBIAN_FRONTEND=noninteractive",
                                    "apt-get", *words),
                       check=True, stdout=subprocess.DEVNULL)


def check_consumer(root, source, packed):
    """A program of somebody else, on the core alone, by pkg-config; gives the
    compiler's name. None of the libraries that the core needs is installed."""
    apt(root, "g++", "pkgconf")
    prefix = "/opt/" + packed.name.removesuffix(".tar.gz")
    shutil.copy(source / "tests/consumer/core.cc", root.path / "tmp")
    subprocess.run(root.command(
        f"PKG_CONFIG_PATH={prefix}/lib/pkgconfig", "sh", "-ec",
        "g++ -std=c++20 -o /tmp/core /tmp/core.cc"
        " $(pkg-config --static --cflags --libs llmproxy-core); /tmp/core"),
        check=True)
    return subprocess.run(root.command("g++", "-dumpfullversion"), check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def check_make_run(root, source):
    """`make run` from git, as a newcomer with a minimal system does it;
    minutes until it answered."""
    subprocess.run(["git", "clone", "-q", source, root.path / "llmproxy"],
                   check=True)
    began = time.monotonic()
    apt(root, "git", "make")
    log = root.path / "make-run.log"
    with open(log, "wb") as file:
        process = subprocess.Popen(
            root.command("make", "-C", "/llmproxy", "run",
                         "ARGS=--port 18999"), stdout=file,
            stderr=subprocess.STDOUT, start_new_session=True)
    end = time.monotonic() + MAKE_RUN
    while b"listening on http" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(log.read_text("utf-8", "replace")[-4000:])
        threading.Event().wait(1)
    server = archive.Server.__new__(archive.Server)
    server.url = "http://127.0.0.1:18999"
    answer = server.ask()
    minutes = (time.monotonic() - began) / 60
    process.terminate()
    process.wait(archive.PATIENCE)
    if "hi" not in answer:
        raise SystemExit(f"the demo says {answer}")
    return minutes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("roots", type=pathlib.Path)
    parser.add_argument("suites", nargs="*", default=list(SUITES))
    parser.add_argument("--consumer", action="store_true")
    parser.add_argument("--make-run", action="store_true")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("roots: needs root")
    packed = archive.find(arguments.out, "*.tar.gz")
    passed = 0
    for suite in arguments.suites:
        base = bootstrap(arguments.roots, suite)
        with tempfile.TemporaryDirectory(dir=arguments.roots) as scratch, \
                Root(base, pathlib.Path(scratch)) as root:
            seconds, used = check_serving(root, packed)
            print(f"{name_of(base)}: unpacked and serving in {seconds:.1f} s"
                  f" ({used:.1f} s of CPU)", flush=True)
            places = check_roots_of_trust(root, packed)
            print(f"{name_of(base)}: roots of trust found at {places} places",
                  flush=True)
            passed += 2
            if arguments.consumer:
                compiler = check_consumer(root, arguments.source, packed)
                print(f"{name_of(base)}: g++ {compiler} builds on the "
                      "libraries, and that runs", flush=True)
                passed += 1
            if arguments.make_run and suite == SUITES[0]:
                minutes = check_make_run(root, arguments.source.resolve())
                print(f"{name_of(base)}: make run from git answered after "
                      f"{minutes:.1f} minutes", flush=True)
                passed += 1
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
