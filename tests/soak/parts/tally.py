"""What a load saw, counted; goes from the load's process to the report."""

import collections

KEPT = 3    # faults of each sort that are told in full; all are counted


class Tally:
    def __init__(self):
        self.calls = collections.Counter()      # by kind
        self.outcomes = collections.Counter()   # by kind and outcome
        self.faults = []
        self.sorts = collections.Counter()      # of faults

    @property
    def count(self):
        return self.sorts.total()

    def note(self, kind, outcome, fault, what=""):
        self.calls[kind] += 1
        self.outcomes[f"{kind}: {outcome}"] += 1
        if fault:
            self.fault(f"{kind}: {outcome}: {fault}", what)

    def fault(self, sort, what=""):
        self.sorts[sort] += 1
        if self.sorts[sort] <= KEPT:
            self.faults.append(f"{sort} ({what})" if what else sort)

    def plain(self):
        return {"calls": dict(self.calls), "outcomes": dict(self.outcomes),
                "faults": self.faults, "sorts": dict(self.sorts),
                "count": self.count}
