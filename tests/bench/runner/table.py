"""The table of a run, in Markdown."""

import statistics

from runner import measures

MISSING = "not measured"
PASS = measures.PASSTHROUGH[0]
COLUMNS = ("direct", "nginx", PASS, "openai-chat -> claude",
           "claude -> openai-chat", "claude -> openai-responses")
TRANSLATIONS = COLUMNS[3:]


def median(rounds, route, value):
    """Median over the rounds; None = not measured."""
    values = [one[route][value] for one in rounds
              if route in one and one[route][value] is not None]
    return statistics.median(values) if values else None


def added(rounds, route, value):
    """Median of what a route has more than the direct one in the same round.
    The direct column shows itself."""
    if route == "direct":
        return median(rounds, route, value)
    values = [one[route][value] - one["direct"][value] for one in rounds
              if route in one and "direct" in one
              and one[route][value] is not None
              and one["direct"][value] is not None]
    return statistics.median(values) if values else None


def shown(value, digits):
    return MISSING if value is None else f"{value:,.{digits}f}"


class Row:
    """One measure. `values` by column. A limit is (passthrough, translation);
    it holds for the ratio to nginx, or for the values themselves."""

    def __init__(self, name, values, digits=0, ratio=False, least=None,
                 most=None, unit=""):
        self.name = name
        self.values = values
        self.digits = digits
        self.ratio = ratio
        self.unit = unit
        self.limits = least or most
        self.is_least = least is not None

    def over_nginx(self, column):
        value, base = self.values.get(column), self.values.get("nginx")
        return value / base if value is not None and base else None

    def worst(self, one):
        """Of the translations, that which is furthest from the target."""
        known = [value for value in map(one, TRANSLATIONS)
                 if value is not None]
        return (min if self.is_least else max)(known) if known else None

    def ratios(self):
        if not self.ratio:
            return None, None
        return self.over_nginx(PASS), self.worst(self.over_nginx)

    def verdict(self):
        """yes, no, or ? for passthrough and translations."""
        if not self.limits:
            return ""
        found = self.ratios() if self.ratio else (
            self.values.get(PASS), self.worst(self.values.get))
        out = []
        for value, limit in zip(found, self.limits):
            if limit is None:
                continue
            good = value is not None and (
                value >= limit if self.is_least else value <= limit)
            out.append("?" if value is None else "yes" if good else "no")
        return " / ".join(out)

    def target(self):
        if not self.limits:
            return ""
        sign = ">=" if self.is_least else "<="
        limits = " / ".join(f"{limit:g}" for limit in self.limits
                            if limit is not None)
        return f"{sign} {limits} {'x nginx' if self.ratio else self.unit}"

    def cells(self):
        cells = [self.name]
        for column in COLUMNS:
            cells.append(shown(self.values[column], self.digits)
                         if column in self.values else "")
        cells += ["" if ratio is None else f"{ratio:.2f}"
                  for ratio in self.ratios()]
        return cells + [self.target().strip(), self.verdict()]


def call_rows(connections, rounds):
    def values(value, how):
        return {route: how(rounds, route, value) for route in COLUMNS}

    at = f"{connections} connection{'s' if connections > 1 else ''}"
    cpu = values("cpu_us", median)
    del cpu["direct"]
    return [
        Row(f"requests/s, {at}", values("requests_per_second", median),
            ratio=True, least=(0.85, 0.75) if connections == 32 else None),
        Row(f"CPU us a request, {at}", cpu, 1, ratio=True,
            most=(1.6, 2.0) if connections == 32 else None),
        Row(f"p50 us, {at}: added to direct", values("p50", added),
            most=(40, 40) if connections == 1 else None, unit="us"),
        Row(f"p99 us, {at}: added to direct", values("p99", added),
            most=(82, 82) if connections == 1 else None, unit="us"),
        Row(f"connections opened upstream per 1,000 requests, {at}",
            {route: reuse(rounds, route) for route in COLUMNS}, 2),
    ]


def reuse(rounds, route):
    seen = [one[route] for one in rounds if route in one]
    requests = sum(one["upstream_requests"] for one in seen)
    return (1000 * sum(one["upstream_connections"] for one in seen) / requests
            if requests else None)


def log_rows(connections, rounds):
    """What the access log costs, beside the same without it."""
    route = "passthrough, access log"
    return [Row(f"with access log: {name}, {connections} connections",
                {PASS: median(rounds, route, value)}, digits)
            for name, value, digits in
            (("requests/s", "requests_per_second", 0),
             ("CPU us a request", "cpu_us", 1))]


STREAM_COLUMNS = tuple(route[0] for route in measures.STREAM_ROUTES)


def stream_rows(count, rounds):
    def values(value, how):
        return {route: how(rounds, route, value) for route in STREAM_COLUMNS}

    def of_proxies(value):
        return {route: median(rounds, route, value)
                for route in STREAM_COLUMNS[1:]}

    at = f"{count:,} streams"
    p99 = {2000: (1000, 1000), 8000: (3000, 3000)}.get(count)
    rows = [
        Row(f"complete, the fewest of a round, {at}",
            {route: min((one[route]["complete"] for one in rounds
                         if route in one), default=None)
             for route in STREAM_COLUMNS},
            least=(count, count)),
        Row(f"event p50 us, {at}: added to direct",
            values("event_p50", added)),
        Row(f"event p99 us, {at}: added to direct",
            values("event_p99", added), most=p99, unit="us"),
        Row(f"first event p50 us, {at}: added to direct",
            values("first_event_p50", added), most=(60, 60), unit="us"),
        Row(f"request to first event p50 us, {at}: added to direct",
            values("first_byte_p50", added)),
        Row(f"CPU us an event, {at}", of_proxies("cpu_us"), 1, ratio=True),
        Row(f"resident KB a stream, {at}", of_proxies("memory_kb"), 1,
            ratio=True, most=None),
    ]
    if count == 8000:
        rows[-1] = Row(f"resident KB a stream, {at}", of_proxies("memory_kb"),
                       1, most=(40, 40), unit="KB")
    return rows


def process_rows(result):
    def row(name, key, digits, limit, unit):
        return Row(name, {PASS: result.get(key)}, digits,
                   most=limit and (limit, None), unit=unit)

    return [
        row("start to first answer, ms", "start_ms", 1, 30, "ms"),
        row("resident MB, idle", "idle_mb", 1, 8, "MB"),
        row("resident MB, after the calls above", "loaded_mb", 1, None, ""),
        row("stripped binary, MB", "binary_mb", 1, 6, "MB"),
    ]


def abuse_rows(results):
    """Of well-behaved clients, by what others do meanwhile."""
    return [Row(f"{value} us of 8 connections, {name}",
                {route: cell[name][value] for route, cell in results.items()})
            for name in next(iter(results.values()))
            for value in ("p50", "p99")]


def crowd_rows(streams, results):
    return [Row(f"new connection answered, {what} ms, {when}",
                {route: cell[key][value] for route, cell in results.items()},
                2)
            for key, when in (("alone", "alone"),
                              ("crowded", f"{streams:,} streams run"))
            for value, what in (("p50", "p50"), ("most", "slowest of 300"))]


def flat_rows(results):
    return [Row(f"resident MB after {name}",
                {route: cell[name] for route, cell in results.items()}, 1)
            for name in next(iter(results.values()))]


def rows_of(results):
    rows = []
    for connections, rounds in results["calls"].items():
        rows += call_rows(int(connections), rounds)
        if any("passthrough, access log" in one for one in rounds):
            rows += log_rows(connections, rounds)
    for count, rounds in results["streams"].items():
        rows += stream_rows(int(count), rounds)
    if results["abuse"]:
        rows += abuse_rows(results["abuse"])
    for count, cells in results["crowd"].items():
        rows += crowd_rows(int(count), cells)
    if results["flat"]:
        rows += flat_rows(results["flat"])
    return rows + (process_rows(results["process"])
                   if results["process"] else [])


def markdown(results):
    heads = (("measure",) + COLUMNS +
             ("passthrough / nginx", "worst translation / nginx", "target",
              "met"))
    lines = [heads, ("---",) + ("---:",) * (len(heads) - 3) + ("---", "---")]
    lines += [row.cells() for row in rows_of(results)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
