"""What is meant to break a law, row by row, with a reason.

(law, noun, from, to, place, reason), as in declared.py: patterns of fnmatch
with blanks between them, of which one must fit. The place is the one that the
law names: in the message, for `order` in the output, for `back` in the message
and, behind " > ", in what became of it.
"""
from declared import compiled_match

used = set()
ANY = '*'
ROWS = [
]


def match(key):
    for row in ROWS:
        if all(compiled_match(pattern, text) for pattern, text in zip(row[:4], key)) \
                and compiled_match(row[4], key[4], ' | '):
            used.add(row)
            return True
    return False


def idle():
    return [row for row in ROWS if row not in used]
