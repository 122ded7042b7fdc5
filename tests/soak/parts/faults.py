"""What an upstream may be told to do wrong, and what the client must get.

The client's outcome is one of: the complete answer; an HTTP error; a stream
that has begun and ends with exactly one error."""

import dataclasses

BAD_GATEWAY = (502,)
TIMEOUT = (504, 408)    # Bedrock's ModelTimeoutException is a 408


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    whole: bool = True      # for answers in one piece
    stream: bool = True     # for streams
    complete: bool = False  # the client must not notice
    statuses: tuple = ()    # of an HTTP error
    late: bool = False      # a stream that has begun may end with the error
    slow: bool = False      # takes as long as a deadline


def table(*rows):
    return {row.name: row for row in rows}


FAULTS = table(
    Fault("none", complete=True),
    # The upstream says no.
    Fault("status_400", statuses=(400,)),
    Fault("status_401", statuses=(401, 403, 502)),
    Fault("status_404", statuses=(404,)),
    Fault("status_429", statuses=(429,)),
    Fault("status_500", statuses=(500,)),
    Fault("status_503", statuses=(503,)),
    Fault("status_529", statuses=(529, 503)),
    # The connection breaks before an answer.
    Fault("reset_at_once", statuses=BAD_GATEWAY),
    Fault("close_at_once", statuses=BAD_GATEWAY),
    Fault("half_head", statuses=BAD_GATEWAY),
    Fault("silent", statuses=TIMEOUT, slow=True),
    Fault("endless_head", statuses=BAD_GATEWAY),
    # No answer of a model.
    Fault("garbage", statuses=BAD_GATEWAY),
    Fault("html", statuses=BAD_GATEWAY),
    Fault("redirect", statuses=BAD_GATEWAY),
    Fault("half_json", statuses=BAD_GATEWAY, stream=False),
    Fault("wrong_shape", statuses=BAD_GATEWAY, stream=False),
    Fault("short_body", statuses=BAD_GATEWAY, stream=False),
    # Though nobody asked for it: unpacked, or named.
    Fault("gzip", complete=True, statuses=BAD_GATEWAY),
    Fault("bad_chunk", statuses=BAD_GATEWAY, late=True),
    # Odd, and right all the same.
    Fault("early_hints", complete=True),
    Fault("slow_pieces", complete=True),
    Fault("single_bytes", complete=True),
    Fault("whole_for_stream", complete=True, whole=False),
    # In the middle of a stream, at any event or before the first.
    Fault("cut_reset", whole=False, statuses=BAD_GATEWAY, late=True),
    Fault("cut_close", whole=False, statuses=BAD_GATEWAY, late=True),
    Fault("cut_event", whole=False, statuses=BAD_GATEWAY, late=True),
    Fault("early_end", whole=False, statuses=BAD_GATEWAY, late=True),
    Fault("error_event", whole=False, statuses=(429, 500, 502, 503, 529),
          late=True),
    Fault("bad_event", whole=False, statuses=BAD_GATEWAY, late=True),
    Fault("silent_stream", whole=False, statuses=TIMEOUT, late=True,
          slow=True),
    # Behind the end.
    Fault("garbage_behind", whole=False, complete=True),
    Fault("two_ends", whole=False, complete=True),
    Fault("no_last_blank", whole=False, complete=True),
    Fault("open_behind", whole=False, complete=True),
)

# Gemini's streams have no last event: they end when the connection does, so
# nothing can stand behind their end.
BEHIND = ("garbage_behind", "two_ends", "open_behind")
ENDLESS = ("gemini",)
