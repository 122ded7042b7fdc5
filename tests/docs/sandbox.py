"""A place where a reader's commands can do no harm, for blocks.py.

Namespaces of Linux give each block loopback alone (so port 8080 is always
free, and nothing gets out), a file system whose /etc and /usr/local are copies
on write, and processes that end with it. Needs root, or user namespaces.

There are two servers of ours in it: one that plays every vendor (each
*_BASE_URL leads there, and any model answers as the demo does), and, when the
block asks port 8080 or is for a client, and starts nothing itself, one that
serves there.
"""

import fcntl
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Longest time for one block; only ever spent by one that hangs.
PATIENCE = 300
VENDOR = "http://127.0.0.1:18080"
ANY_MODEL = """\
server: {port: %d}
backends:
  demo: {}
models:
  "demo-*": demo
  "*": {backend: demo, model: demo}
"""
SERVES = re.compile(r"\bmake run\b|^systemctl|"
                    r"^\s*(\w+=\S*\s+)*(\S*/)?llm-proxy( serve| -|$)",
                    re.MULTILINE)
# Clients that the documents show and that are not here (make test-agents and
# make test-clients run the real ones): stand_ins/client takes their place.
CLIENTS = ("aider", "claude", "codex", "gemini", "llm", "opencode")
ASKS = re.compile(rf":8080|^({'|'.join(CLIENTS)})\b", re.MULTILINE)
UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
           "--mount-proc"]


def unshare():
    return UNSHARE + ([] if os.geteuid() == 0 else ["--map-root-user"])


def why_not():
    """Why there can be no sandbox here; None = it works."""
    if not shutil.which("unshare"):
        return "there is no program unshare (util-linux)"
    done = subprocess.run([*unshare(), "mount", "-t", "tmpfs", "none", "/mnt"],
                          capture_output=True, text=True, check=False)
    return done.stderr.strip() or "unshare fails" if done.returncode else None


def copy_repository(root, target):
    """All files of the repository but most of the tests."""
    names = subprocess.run(["git", "-c", "safe.directory=*", "-C", str(root),
                            "ls-files", "-z"],
                           check=True, capture_output=True).stdout
    for name in names.decode().split("\0"):
        if not name or name.startswith("tests/") or not (root / name).exists():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target / name)


def populate(folder, root, build, files):
    """Fills a sandbox; gives its environment."""
    work, bin_, home = (folder / name for name in ("work", "bin", "home"))
    for path in (work, home):
        path.mkdir()
    shutil.copytree(HERE / "stand_ins", bin_)
    for name in CLIENTS:
        (bin_ / name).symlink_to("client")
    copy_repository(root, work)
    for name, text in files.items():
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(text, "utf-8")
    (work / "build").mkdir()
    (work / "build/llm-proxy").symlink_to(bin_ / "llm-proxy")
    # What a release build has besides: tools of the benchmark.
    (work / "build/release").mkdir()
    (work / "build/release/tests").symlink_to(build / "tests")
    (home / ".gitconfig").write_text(
        f"[safe]\n directory = *\n[url \"{root}\"]\n"
        " insteadOf = https://github.com/llmproxy/llmproxy\n", "utf-8")
    vendor_urls = {name: VENDOR + path for name, path in (
        ("OPENAI_BASE_URL", "/v1"), ("ANTHROPIC_BASE_URL", ""),
        ("GEMINI_BASE_URL", ""), ("DEEPSEEK_API_BASE", ""))}
    return {
        "PATH": f"{bin_}:{os.environ['PATH']}", "HOME": str(home),
        "TMPDIR": str(home), "LC_ALL": "C.UTF-8", **vendor_urls,
        "LLM_PROXY_REAL": str(build / "server/llm-proxy"),
        "LLM_PROXY_PACKAGE": str(build / "package/static"),
        "LLM_PROXY_LOG": str(folder / "log"),
    }


def run(root, build, commands, files):
    """Runs a block; None = it ended well, else what it said."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        environment = populate(folder, root, build, files)
        block = folder / "block.sh"
        block.write_text(commands, "utf-8")
        try:
            done = subprocess.run(
                [*unshare(), sys.executable, __file__, str(folder)],
                cwd=folder / "work", env=environment, timeout=PATIENCE,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, check=False)
        except subprocess.TimeoutExpired as error:
            return f"does not end:\n{(error.stdout or b'').decode()}"
        said = done.stdout.decode("utf-8", "replace")
        return None if done.returncode == 0 else said[-4000:] or "fails"


# From here on inside.


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # SIOCSIFFLAGS with IFF_UP | IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x41))


def copy_on_write(folder, *places):
    layers = folder / "layers"
    layers.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", layers], check=True)
    for number, place in enumerate(places):
        upper, scratch = layers / f"upper{number}", layers / f"work{number}"
        upper.mkdir()
        scratch.mkdir()
        subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={place},"
             f"upperdir={upper},workdir={scratch}", place], check=True)


def serve(folder, port):
    config = folder / f"serve-{port}.yaml"
    config.write_text(ANY_MODEL % port, "utf-8")
    subprocess.run([folder / "bin/llm-proxy", "--config", config], check=True,
                   stdout=subprocess.DEVNULL,
                   env={"PATH": os.environ["PATH"],
                        "LLM_PROXY_LOG": str(folder / f"log-{port}"),
                        "LLM_PROXY_REAL": os.environ["LLM_PROXY_REAL"]})


def inside(folder):
    raise_loopback()
    copy_on_write(folder, "/etc", "/usr/local")
    commands = (folder / "block.sh").read_text("utf-8")
    starts = SERVES.search(commands)
    if starts:
        serve(folder, 18080)
    elif ASKS.search(commands):
        serve(folder, 8080)
    # `set -e` forgives `false && true`; the trap does not.
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c",
         "trap 's=$?; ((s == 0)) || exit $s' DEBUG; source " +
         str(folder / "block.sh")], check=False).returncode


if __name__ == "__main__":
    sys.exit(inside(pathlib.Path(sys.argv[1])))
