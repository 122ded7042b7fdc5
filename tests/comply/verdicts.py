"""Joins what was objected to with what is known to be the judge's mistake."""


def settle(cell, verdict, exceptions):
    """(objections that nothing explains, rows that explain nothing)."""
    rows = [row for row in exceptions
            if row.format == cell.format.name and cell.column in row.columns]
    known = {row.objection for row in rows}
    return ([one for one in verdict.objections if one not in known],
            [row for row in rows if row.objection not in verdict.objections])


def settle_golden(found, exceptions):
    """The same of [(case, objection)]; a row must explain something in each of
    its cases."""
    unexplained, fired = [], {row: set() for row in exceptions}
    for case, objection in found:
        rows = [row for row in exceptions if row.explains(case, objection)]
        if not rows:
            unexplained.append((case, objection))
        for row in rows:
            fired[row].add(case)
    unused = [(row, case) for row, cases in fired.items()
              for case in (row.cases or ("any",))
              if case not in cases and (row.cases or not cases)]
    return unexplained, unused
