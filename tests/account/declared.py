"""What is meant: transformations that the checker accepts, each with a reason.

A row: (noun, from, to, place in the input, reason). The words are patterns of
fnmatch; "*" in a place is any number of steps. Rows of DEFAULTS have the place
in the output, and behind it what stands there.
"""
import fnmatch
import re

used = set()


def compiled(pattern):
    return re.compile(fnmatch.translate(pattern))


def match(table, case, place, value=None):
    for row in table:
        noun, source, target, where = row[:4]
        if not (compiled_match(noun, case.noun) and compiled_match(source, case.source)
                and compiled_match(target, case.target) and compiled_match(where, place)):
            continue
        if len(row) == 6 and not compiled_match(row[4], str(value)):
            continue
        used.add(row)
        return True
    return False


cache = {}


def compiled_match(pattern, text):
    if pattern == '*':
        return True
    if pattern not in cache:
        cache[pattern] = re.compile('(?:%s)' % '|'.join(fnmatch.translate(p) for p in pattern.split(' ')))
    return cache[pattern].match(text) is not None


# Neither in the output nor in a loss.
MEANT = []
# In the output, and in a loss that says "dropped".
BOTH = []
# A valid message that is said to be wrong.
INVALID = []
# Losses of members that the client did not send.
OF_WHAT_IS_NOT_THERE = []
# In the output, but not in the input.
DEFAULTS = []
# Words that say what is so without them: (noun, from, to, place, word, reason).
NEUTRAL = []
# Words of one place that become the same.
SAME = []

# What a place is for, where it must not be another: the first that fits.
CONCEPTS = [(re.compile(p), c) for p, c in [
    (r'(^|/)temperature$', 'temperature'),
    (r'/(top_p|topP)$', 'top_p'),
    (r'/(top_k|topK)$', 'top_k'),
    (r'/(frequency_penalty|frequencyPenalty)$', 'frequency penalty'),
    (r'/(presence_penalty|presencePenalty)$', 'presence penalty'),
    (r'^(/generationConfig)?/seed$', 'seed'),
    (r'^(/generationConfig|/inferenceConfig)?/(max_tokens|max_completion_tokens|max_output_tokens|maxOutputTokens|maxTokens)$', 'limit'),
    (r'/(budget_tokens|thinkingBudget)$', 'budget'),
    (r'^/stop(/\*)?$|/(stop_sequences|stopSequences)/\*$', 'stop sequence'),
]]


def concept(dialect, pattern):
    for where, meant in CONCEPTS:
        if where.search(pattern):
            return meant
    return None
