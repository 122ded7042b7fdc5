"""The command `llm`, set up by the lines that `llm-proxy env` prints."""
import subprocess

from cells import GREETING, greeted, main, snippet


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=500,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


run("sh", "-ec", snippet())
ask = ("llm", "-m", "llm-proxy")


def text():
    greeted(run(*ask, "--no-stream", GREETING))


def stream():
    greeted(run(*ask, GREETING))


def tools():
    import importlib.metadata
    version = importlib.metadata.version("llm")
    said = run(*ask, "--no-stream", "-T", "llm_version", "Which llm_version?")
    assert f"llm_version said: {version}" in said, said


main({"text": text, "stream": stream, "tools": tools}, "llm")
