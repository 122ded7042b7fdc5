"""What the judge is asked: each format of it, of each proxy.

A cell is one run of the judge's own program, `llm-comply run`, as anybody
would start it.
"""
import dataclasses
import json
import pathlib
import subprocess
import sys

from proxies import UPSTREAMS, asked_as

SECONDS = 600  # of one cell; only a failure takes so long
JUDGE = pathlib.Path(sys.executable).parent / "llm-comply"


@dataclasses.dataclass(frozen=True)
class Format:
    name: str    # as the judge calls it
    place: str   # behind host and port
    model: str   # of a kind of which the judge leaves out no test
    client: tuple = ()  # how its clients say who they are


FORMATS = (
    Format("openai-chat", "/v1", "gpt-5"),
    Format("open-responses", "/v1", "gpt-5"),
    Format("anthropic", "/v1", "claude-sonnet-4-5",
           ("--auth-header", "x-api-key", "--no-bearer",
            "--header", "anthropic-version:2023-06-01")),
    Format("google-genai", "", "gemini-3-pro-preview",
           ("--auth-header", "x-goog-api-key", "--no-bearer")),
)

BARE, DEMO = "bare", "demo"
COLUMNS = (BARE, DEMO, *(upstream.dialect for upstream in UPSTREAMS))


@dataclasses.dataclass(frozen=True)
class Cell:
    format: Format
    column: str

    @property
    def name(self):
        return f"{self.format.name}/{self.column}"

    @property
    def model(self):
        if self.column == BARE:
            return "demo"
        over = [one for one in UPSTREAMS if one.dialect == self.column]
        name = self.format.model
        return asked_as(name, over[0]) if over else name

    def command(self, port, only=""):
        line = [str(JUDGE), "run", "--format", self.format.name,
                "--base-url", f"http://127.0.0.1:{port}{self.format.place}",
                "--api-key", "comply-client-key", *self.format.client,
                "--model", self.model]
        return [*line, "--filter", only] if only else line


CELLS = tuple(Cell(form, column) for form in FORMATS for column in COLUMNS)


@dataclasses.dataclass(frozen=True)
class Objection:
    """What the judge has to say of one of its tests."""
    test: str
    kind: str  # "error", "warning", "skipped"
    text: str


@dataclasses.dataclass(frozen=True)
class Verdict:
    passed: int
    all: int
    objections: tuple


def judge(cell, port, only=""):
    """Lets the judge ask; RuntimeError where nobody can read what it says."""
    done = subprocess.run([*cell.command(port, only), "--json"],
                          capture_output=True, text=True, timeout=SECONDS,
                          check=False)
    try:
        said = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise RuntimeError(
            f"the judge said: {done.stdout[-1000:]}{done.stderr[-3000:]}"
        ) from None
    objections = []
    for result in said["results"]:
        kind = "skipped" if result["status"] == "skipped" else "error"
        texts = [(kind, text) for text in result.get("errors", [])]
        texts += [("warning", text) for text in result.get("warnings", [])]
        if result["status"] == "failed" and not texts:
            texts = [("error", "failed, and said nothing")]
        objections += [Objection(result["id"], *text) for text in texts]
    summary = said["summary"]
    # An exit code that says otherwise is a judge we do not understand.
    if (done.returncode == 0) != (summary["failed"] == 0):
        raise RuntimeError(f"the judge ended with {done.returncode}, and says "
                           f"{summary}: {done.stderr[-3000:]}")
    return Verdict(summary["passed"], summary["total"], tuple(objections))
