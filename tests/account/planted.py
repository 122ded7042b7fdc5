"""Faults on purpose, put between the program and the checker: each must be
found, or the checker is blind."""


def members(value, names):
    """(object, member) of all members with one of these names."""
    if isinstance(value, dict):
        for key in list(value):
            if key in names:
                yield value, key
            yield from members(value[key], names)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner, names)


def dropped(line, answer):
    for holder, key in list(members(answer.get('parsed'), {'top_p', 'topP'})):
        holder.pop(key, None)


def swapped(line, answer):
    pairs = {'temperature': 'top_p', 'topP': 'temperature', 'top_p': 'temperature'}
    for holder, key in list(members(answer.get('parsed'), {'temperature'})):
        for other in ('top_p', 'topP'):
            if other not in holder:
                holder[other] = holder.pop(key)
                break


def false_loss(line, answer):
    if 'losses' in answer and isinstance(line.get('body'), dict) and 'temperature' in line['body']:
        answer['losses'].append(['/temperature', 'dropped', 'planted'])
        answer['strict'] = 'planted'


PLANTS = {'dropped': dropped, 'swapped': swapped, 'false_loss': false_loss}
# What the checker must call it.
FOUND_AS = {'dropped': 'silent', 'swapped': 'swapped', 'false_loss': 'false loss'}
