"""Members that are written as null and that no schema requires.

What a client has to find is written, if only as null; anything else that is
not known is left out. A null is needed when one of the schemas objects to its
absence. Looked at in what we write of our own: not in what passes through.
"""
import collections
import copy
import dataclasses

import golden_schemas
from golden_schemas import FAMILY, READERS, Objection

# A member of the same name at the same place is the same one: so many of each.
ENOUGH = 3


def places(value, before=()):
    """Where null stands."""
    inner = (value.items() if isinstance(value, dict) else
             enumerate(value) if isinstance(value, list) else ())
    for step, there in inner:
        if there is not None:
            yield from places(there, (*before, step))
        elif isinstance(value, dict):
            yield (*before, step)


def without(place, value):
    changed = copy.deepcopy(value)
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    return changed


def requires(piece, place):
    """Does its schema object when it is not there?"""
    before = {one.text for one in piece.objections()}
    bare = dataclasses.replace(piece, value=without(place, piece.value))
    return any(one.text not in before for one in bare.objections())


def own_sections(path):
    """(what, dialect, body) of those that are not the upstream's words."""
    given = {(what, FAMILY.get(dialect, dialect))
             for what, dialect, _ in golden_schemas.sections(path, "given")}
    for what, dialect, body in golden_schemas.sections(path):
        if (what, FAMILY.get(dialect, dialect)) not in given:
            yield what, dialect, body


def needless():
    """[(case, Objection)]"""
    looked, found = collections.Counter(), []
    for path in golden_schemas.cases():
        for what, dialect, body in own_sections(path):
            # The same thing, as each of the schemas sees it.
            readers = READERS[what, dialect]
            for pieces in zip(*(reader(body) for reader in readers)):
                section, value = pieces[0].section, pieces[0].value
                for place in places(value):
                    name = ".".join("*" if isinstance(step, int) else step
                                    for step in place)
                    key = (section, value.get("type"), name)
                    looked[key] += 1
                    if looked[key] <= ENOUGH and not any(
                            requires(piece, place) for piece in pieces):
                        found.append((path.stem, Objection(
                            section, "none", f"{name} is null, and no schema "
                            "requires it")))
    return found
