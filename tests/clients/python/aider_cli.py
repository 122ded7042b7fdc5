"""The command `aider`, started by the lines that `llm-proxy env` prints. It
has no tools: it edits files by what the model writes."""
import subprocess

from cells import GREETING, greeted, main, snippet

OPTIONS = ("--no-git --yes-always --no-check-update --analytics-disable "
           "--no-show-model-warnings --no-show-release-notes --no-pretty "
           "--no-fancy-input --no-gitignore --no-detect-urls --map-tokens 0")


def run(*more):
    lines = snippet().rstrip("\n").split("\n")
    # The command stands in the last line that is no comment.
    at = max(i for i, line in enumerate(lines) if line[:1] not in ("#", ""))
    lines[at] += f' {OPTIONS} "$@"'
    done = subprocess.run(["sh", "-ec", "\n".join(lines), "sh", *more],
                          capture_output=True, text=True, timeout=800,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answer(text):
    """What it prints behind the question."""
    return text[text.index("You said:"):]


def text():
    greeted(answer(run("--no-stream", "--message", GREETING)))


def stream():
    greeted(answer(run("--stream", "--message", GREETING)))


main({"text": text, "stream": stream}, "aider-chat")
