"""The smallest body for which a fault is still there."""
import copy


def places(value, where=()):
    """All that can be left out, the largest first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, one in inner:
        found.append(where + (key,))
        found += places(one, where + (key,))
    return found


def without(body, where):
    out = copy.deepcopy(body)
    at = out
    for step in where[:-1]:
        at = at[step]
    del at[where[-1]]
    return out


def smallest(body, still):
    """Leaves out what can be left out, until nothing can."""
    smaller = True
    while smaller:
        smaller = False
        for where in sorted(places(body), key=len):
            try:
                tried = without(body, where)
            except (KeyError, IndexError):
                continue
            if still(tried):
                body, smaller = tried, True
                break
    return body
