"""An order: what one call asks for, what the upstream is to do with it, and
what each side saw. Both sides live in one process and share the Book, so that
an answer of another call, a piece that is lost or one that comes twice is
found where it arrives."""

import base64
import dataclasses
import json

# Between the marks of the pieces: what JSON, UTF-8 and SSE stumble over.
PAD = 'gr\u00fc\u00dfe, "quoted" \\ \u65e5\u672c \U0001f600 <b>\t/ data: x\n\n'
# What fills large requests, as it stands in JSON.
FILL = '{"Lorem": \\\u00fc ipsum}\n'
FILL_JSON = json.dumps(FILL, ensure_ascii=False)[1:-1].encode()
FILL_MARK = b"Lorem"
PLACE = "@fill@"


@dataclasses.dataclass
class Order:
    id: int
    client: str
    target: str
    stream: bool = False
    tool: bool = False
    image: str = ""
    previous: str = ""      # id of a stored answer to go on from
    carries: str = ""       # what the request must bring from that
    before: int = 0         # times FILL in the turns before
    count: int = 8          # pieces of the answer
    pad: int = 12           # characters in each piece
    fill: int = 1           # times FILL in the request
    fault: str = "none"
    at: int = 0             # the event that the fault comes with
    pace: float = 0         # seconds between two events
    cuts: bool = False      # events are written in odd pieces
    leaves: bool = False    # the client may go at any time
    # What the upstream saw.
    asked: int = 0
    gone: bool = False
    at_last: bool = False   # the fault came in place of the last event
    faults: list = dataclasses.field(default_factory=list)

    def mark(self, number):
        return f"[{self.id}.{number}]"

    def pieces(self):
        for number in range(self.count):
            at = (self.id + number) % len(PAD)
            pad = (PAD[at:] + PAD * (self.pad // len(PAD) + 1))[:self.pad]
            yield self.mark(number) + pad
        yield self.mark("end")

    def text(self):
        return "".join(self.pieces())

    def arguments(self):
        return {"id": self.id, "text": PAD, "number": 12345678901234567890}

    def argument_text(self):
        return json.dumps(self.arguments(), ensure_ascii=False)

    def shreds(self):
        text = self.argument_text()
        return [text[at:at + 9] for at in range(0, len(text), 9)]

    @staticmethod
    def schema():
        return {"type": "object", "properties": {"id": {"type": "integer"}}}

    def question(self):
        """The client's words; PLACE becomes what fills the request."""
        return f"{PLACE} soak#{self.id}#"

    def model(self):
        return f"{self.target}-u{self.id}"

    def body_of(self, dialect):
        """The bytes of the request in the client's dialect."""
        text = json.dumps(dialect.body(self, self.model(), self.question()))
        return text.encode().replace(PLACE.encode(), FILL_JSON * self.fill)

    def seen(self, key, wanted_key, model, body):
        """The upstream got it: is it what the client sent, once, with the
        key of that backend?"""
        self.asked += 1
        if self.asked > 1:
            self.faults.append("asked of the upstream more than once")
        if key != wanted_key:
            self.faults.append(f"came with the key {key[:40]!r}")
        if model != f"u{self.id}":
            self.faults.append(f"came for the model {model!r}")
        if f"soak#{self.id}#".encode() not in body[-2000:]:
            self.faults.append("the words of the client did not arrive")
        filled = body.count(FILL_MARK) - self.before
        if filled != self.fill:
            self.faults.append(f"{filled} of {self.fill} fillings arrived")
        if self.carries and self.carries.encode() not in body:
            self.faults.append("the turns before did not arrive")
        if self.image and f"image {self.id}." not in image_text(body):
            self.faults.append("the image did not arrive")


PNG = b"\x89PNG\r\n\x1a\n"


def image_of(number):
    """A picture that says whose it is; the padding makes base64 of the text
    begin at a border."""
    return PNG + b" " * (-len(PNG) % 3) + f"image {number}.".encode() * 30


def image_text(body):
    """The text of the image in a request, out of its base64."""
    start = base64.b64encode(PNG)[:8]
    at = body.find(start)
    if at < 0:
        return ""
    end = body.find(b'"', at)
    return base64.b64decode(body[at:end]).decode("latin-1")


class Book:
    """The orders that are open, and the next number."""

    def __init__(self):
        self.orders = {}
        self.last = 0
        self.unknown = []   # requests that came to the upstream by nobody

    def new(self, client, target, **options):
        self.last += 1
        order = Order(self.last, client, target, **options)
        self.orders[order.id] = order
        return order

    def close(self, order):
        self.orders.pop(order.id, None)
