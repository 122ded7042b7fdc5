"""The report of a run: what was called, what came of it, and the checks."""

from parts import verdict
from parts.load import CLIENT_KEYS, SECRETS
from parts.target import KEPT_UPSTREAM

# RSS may grow by so much an hour after the first half, and by so much in all
# whatever the slope: pools fill, memory is cut up. With 80 calls a second the
# release's limit is about 110 bytes a call.
GROWTH = {"asan": (150e6, 40e6), "release": (32e6, 8e6)}
SLOPE_SECONDS = 300         # shorter runs have no slope
HEALTH_SECONDS = 0.5        # p99 of /healthz, on a machine with time
RESERVE_FILES = 6 * KEPT_UPSTREAM
RESERVE_THREADS = 2


def checks_of(target, health, seconds):
    """[(what, fault or None)] of one target."""
    tally = target.tally
    yield "the process lives", None if target.lived else "it died"
    yield "the load ran to its end", None if tally else "it did not"
    if tally:
        yield "every answer is explained", None if not tally["count"] else \
            f"{tally['count']} are not"
    yield "sanitizers, exit, keys in the log", verdict.output_fault(
        target.text, target.code, SECRETS + CLIENT_KEYS)
    yield "descriptors", verdict.count_fault(
        "descriptors", target.before[1], target.after[1], RESERVE_FILES)
    yield "threads", verdict.count_fault(
        "threads", target.before[2], target.after[2], RESERVE_THREADS)
    yield "/healthz", verdict.latency_fault(
        health["seen"].get(str(target.port)), health["late"], HEALTH_SECONDS)
    if seconds >= SLOPE_SECONDS:
        yield "memory after warm-up", verdict.growth_fault(
            target.samples, *GROWTH[target.name])


def ms(values, part):
    return f"{verdict.percentile(values, part) * 1000:.1f} ms"


def memory_line(target):
    sizes = [size for _, size in target.samples]
    if not sizes:
        return "not measured"
    half = target.samples[len(sizes) // 2:]
    an_hour, _ = verdict.slope(half)
    return (f"{target.before[0] / 1e6:.0f} MB at start, "
            f"{sizes[len(sizes) // 2] / 1e6:.0f} half-way, "
            f"{max(sizes) / 1e6:.0f} most, {target.after[0] / 1e6:.0f} at "
            f"rest; second half {an_hour / 1e6:+.1f} MB an hour")


def tell_target(target, health, say):
    say(f"\n== {target.name}: {target.binary}")
    tally = target.tally or {"calls": {}, "outcomes": {}, "faults": [],
                             "sorts": {}}
    say(f"calls: {sum(tally['calls'].values())}")
    for outcome, count in sorted(tally["outcomes"].items()):
        say(f"  {count:8}  {outcome}")
    say(f"memory: {memory_line(target)}")
    say(f"descriptors: {target.before[1]} at start, "
        f"{max((count for _, count in target.files), default=0)} most, "
        f"{target.after[1]} at rest; threads: {target.before[2]} at start, "
        f"{target.after[2]} at rest")
    seen = health["seen"].get(str(target.port))
    if seen:
        say(f"/healthz: {len(seen)} times, p50 {ms(seen, 0.5)}, "
            f"p99 {ms(seen, 0.99)}, most {ms(seen, 1)}; the prober itself "
            f"was woken late by {ms(health['late'], 0.99)} (p99)")
    for sort, count in tally["sorts"].items():
        say(f"  FAULT {count} x {sort}")
    for fault in tally["faults"]:
        say(f"  such as {fault}")


def tell(targets, health, seconds, seed, judges):
    """Prints it; True = all is well. `judges`: numbers of their own tests
    that passed and failed."""
    passed, failed = judges
    print(f"tests of the judges: {passed} passed, {failed} failed")
    for target in targets:
        tell_target(target, health, print)
        for what, fault in checks_of(target, health, seconds):
            print(f"  {'FAILED' if fault else 'ok':6} {what}"
                  f"{': ' + fault if fault else ''}")
            passed += not fault
            failed += bool(fault)
    print(f"\nsoak: {passed} passed, {failed} failed "
          f"({seconds:.0f} s, seed {seed})")
    return not failed
