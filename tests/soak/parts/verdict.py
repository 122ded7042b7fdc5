"""Judges what was seen. Nothing in here does I/O: checkers_test.py shows each
judgement on made-up observations."""

import json
import re

from parts.faults import FAULTS

MARK = re.compile(r"\[(\d+)\.(\d+|end)\]")


def text_fault(order, text, whole):
    """What is wrong with the text of an answer; None = nothing."""
    wanted = order.text()
    if text == wanted or (not whole and wanted.startswith(text)):
        return None
    marks = MARK.findall(text)
    others = sorted({number for number, _ in marks if int(number) != order.id})
    if others:
        return f"MIXED UP: holds pieces of call {', '.join(others[:3])}"
    numbers = [place for _, place in marks]
    if len(numbers) != len(set(numbers)):
        return "DUPLICATED: a piece came twice"
    if whole and numbers[-1:] != ["end"]:
        return f"LOST: ends after piece {(numbers or ['none'])[-1]}"
    due = [str(number) for number in range(order.count)] + ["end"]
    if numbers != due[:len(numbers)]:
        return f"OUT OF ORDER: {' '.join(numbers[:12])}"
    return "CHANGED: the text is not that of the upstream"


def call_fault(order, heard):
    """The tool call must be that of the order."""
    wanted = [order.arguments()] if order.tool else []
    try:
        calls = [json.loads(text) for text in heard.calls]
    except ValueError:
        return "the arguments of the call are not JSON"
    return None if calls == wanted else f"the calls are {str(calls)[:80]}"


def complete_fault(order, heard):
    """A whole answer, or a stream that ends well."""
    if heard.broken:
        return heard.broken
    if heard.errors:
        return "an error that nobody ordered"
    if heard.ends != 1:
        return f"{'LOST: no' if not heard.ends else heard.ends} end"
    if heard.behind:
        return "content behind the end"
    return text_fault(order, heard.text, True) or call_fault(order, heard)


def broken_fault(order, heard):
    """A stream that must end with exactly one error."""
    if heard.broken:
        return heard.broken
    if heard.errors != 1:
        return f"{heard.errors} errors where one is due"
    if heard.ends:
        return "an end that the upstream did not give"
    if heard.behind:
        return "content behind the error"
    return text_fault(order, heard.text, False)


def lacks_what_follows(order, heard):
    """All of the answer came and was passed on as it was, its end too; only
    what stands behind that (the usage of Converse) broke off, and the error
    says so."""
    return order.at_last and order.client == order.target and \
        not heard.broken and heard.errors == 1 and heard.ends == 1 and \
        not heard.behind and not text_fault(order, heard.text, True) and \
        not call_fault(order, heard)


def lacks_done(order, answer):
    """A stream of Chat Completions, passed on as it was, whose upstream ended
    it in order behind its finish_reason and before [DONE]: many servers send
    none, and clients take the end of the body for it."""
    heard = answer.heard
    return order.at_last and order.fault == "early_end" and answer.proper and \
        order.client == order.target == "openai-chat" and \
        not heard.broken and not heard.errors and not heard.ends and \
        not text_fault(order, heard.text, True) and \
        not call_fault(order, heard)


def chat_fault(order, answer):
    """(label, fault) of one chat; `answer` is a clients.Answer."""
    fault = FAULTS[order.fault]
    if order.faults:
        return "upstream", "; ".join(order.faults)
    if answer.left:
        heard = answer.heard
        wrong = heard and (heard.broken or text_fault(
            order, heard.text, False))
        return "left", wrong
    if answer.status != 200:
        return error_fault(order, fault, answer)
    if fault.complete:
        wrong = complete_fault(order, answer.heard)
        if not wrong and not answer.proper:
            wrong = "LOST: the body has no proper end"
        return "complete", wrong
    if order.at_last and complete_fault(order, answer.heard) is None:
        return "complete", None     # what was cut said nothing new
    if lacks_what_follows(order, answer.heard) or lacks_done(order, answer):
        return "complete", None
    if not order.stream or not fault.late:
        return "complete", f"200 though {order.fault} was ordered"
    return "faulted", broken_fault(order, answer.heard)


def error_fault(order, fault, answer):
    """An answer that is an HTTP error."""
    label = f"{answer.status} {order.fault}"
    if not answer.status:
        return label, "no answer at all"
    if answer.status not in fault.statuses:
        return label, f"{answer.status} is not what {order.fault} gives"
    if not answer.proper:
        return label, "the body of the error has no proper end"
    try:
        json.loads(answer.body)
    except ValueError:
        return label, "the error is no JSON"
    return label, None


# --- the process ----------------------------------------------------------

BINS = 20


def slope(samples):
    """(bytes an hour, bytes from begin to end) of [(second, bytes)].

    Theil and Sen's slope, the median over all pairs, over the lowest sample
    of each of BINS equal spans: what is taken for a while and given back does
    not count, and one span that lies off moves nothing."""
    if len(samples) < BINS:
        return 0.0, 0.0
    first, last = samples[0][0], samples[-1][0]
    width = (last - first) / BINS or 1
    low = {}
    for second, size in samples:
        place = min(int((second - first) / width), BINS - 1)
        low[place] = min(low.get(place, size), size)
    points = sorted(low.items())
    slopes = sorted((b - a) / (y - x) for x, a in points for y, b in points
                    if y > x)
    middle = slopes[len(slopes) // 2] / width
    return middle * 3600, middle * (last - first)


def growth_fault(samples, limit_an_hour, floor):
    """Over the second half of a run."""
    half = [one for one in samples if one[0] * 2 >= samples[-1][0]]
    an_hour, grown = slope(half)
    if an_hour > limit_an_hour and grown > floor:
        return (f"grows by {an_hour / 1e6:.1f} MB an hour "
                f"({grown / 1e6:.1f} MB in the second half)")
    return None


def count_fault(what, before, after, reserve):
    """Descriptors and threads, both at rest."""
    if after > before + reserve:
        return f"{after} {what} at rest, {before} before the load"
    return None


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def latency_fault(seconds, lag, limit):
    """`lag`: how late the prober itself was woken, at the same moments."""
    if not seconds:
        return "/healthz was never asked"
    allowed = max(limit, 20 * percentile(lag, 0.99))
    worst = percentile(seconds, 0.99)
    if worst > allowed:
        return f"p99 of /healthz {worst * 1000:.0f} ms > {allowed * 1000:.0f}"
    return None


SANITIZER = re.compile(
    r"(ERROR|WARNING|SUMMARY): \w+Sanitizer|runtime error:|Assertion .*failed")


def output_fault(text, code, secrets):
    """What the process printed, and its exit code after SIGTERM."""
    report = SANITIZER.search(text)
    if report:
        return "SANITIZER: " + text[report.start():report.start() + 300]
    if code != 0:
        return f"exit code {code}"
    for secret in secrets:
        if secret in text:
            return f"the log holds the key {secret[:14]}..."
    return None
