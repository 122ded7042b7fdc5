"""How losses of answers name places.

A stream has no body that a pointer could lead into, so losses of answers name
places of the canonical answer (chat.h): "/content/2/annotations",
"/usage/cache_write_tokens". Here is which places of an upstream's body those
are; a loss leads to a leaf where the row of the leaf fits.
"""
import re

PART = r'/content(?:/\d+)?'  # losses of streams count no parts
CITED = PART + r'/(annotations|citations)'
ROWS = [
    # (dialects, place in the body, place of the loss)
    ('openai-chat', r'/choices/\d+/message/annotations/', CITED),
    ('openai-chat', r'/choices/\d+/message/audio/(?!transcript)', r'/choices/0/delta/audio/data'),
    ('openai-chat', r'/choices/\d+/message/', PART),
    ('openai-chat', r'/choices/\d+/logprobs/', r'/logprobs'),
    ('openai-chat', r'/choices/\d+/finish_reason', r'/stop_reason'),
    ('claude bedrock', r'/content/\d+/citations/', CITED),
    ('claude bedrock', r'/content/\d+/signature', PART + '/signature'),
    ('claude bedrock', r'/content/\d+/', PART),
    ('claude bedrock', r'/usage/service_tier', r'/service_tier'),
    ('openai-responses', r'/output/\d+/content/\d+/annotations/', CITED),
    ('openai-responses', r'/output/\d+/encrypted_content', PART + '/signature'),
    ('openai-responses', r'/output/\d+/', PART),
    ('openai-responses', r'/incomplete_details/reason', r'/stop_reason'),
    ('gemini', r'/candidates/\d+/content/parts/\d+/thoughtSignature', PART + '/signature'),
    ('gemini', r'/candidates/\d+/content/parts/\d+/', PART),
    ('gemini', r'/candidates/\d+/(citationMetadata|groundingMetadata)/', CITED),
    ('gemini', r'/candidates/\d+/finishReason', r'/stop_reason'),
    ('gemini', r'/candidates/\d+/(\w+)', '/(1)'),
    ('bedrock-converse', r'/output/message/content/\d+/citationsContent/citations/', CITED),
    ('bedrock-converse', r'/output/message/content/\d+/reasoningContent/reasoningText/signature',
     PART + '/signature'),
    ('bedrock-converse', r'/output/message/content/\d+/', PART),
    ('bedrock-converse', r'/stopReason', r'/stop_reason'),
    ('bedrock-converse', r'/serviceTier/type', r'/service_tier'),
    ('openai-chat openai-responses claude bedrock gemini bedrock-converse',
     r'/usage.*(cache_write_tokens|cache_creation_input_tokens|cacheWriteInputTokens)',
     r'/usage/cache_write_tokens'),
    ('openai-chat openai-responses claude bedrock gemini bedrock-converse',
     r'/usage.*(reasoning_tokens|thinking_tokens|thoughtsTokenCount)', r'/usage/reasoning_tokens'),
]


# Where the parts of an answer stand; a loss may name a member of one.
PARTS = {'openai-chat': r'/choices/\d+/message', 'claude': r'/content/\d+', 'bedrock': r'/content/\d+',
         'openai-responses': r'/output/\d+(?:/content/\d+)?', 'gemini': r'/candidates/\d+/content/parts/\d+',
         'bedrock-converse': r'/output/message/content/\d+'}


def of_member(dialect, loss, place):
    """The loss names a member of a part, and the place is in it."""
    part = re.match(PARTS[dialect], place)
    member = re.fullmatch(PART + '(/.+)', loss)
    inside = part and member and place[part.end():]
    return bool(inside) and (inside + '/').startswith(member.group(1) + '/')


def leads_to(dialect, loss, place, exactly=False):
    """A loss of that name leads to that place of the upstream's body; exactly:
    not to all parts of a kind."""
    if of_member(dialect, loss, place):
        return True
    for dialects, of_body, of_loss in ROWS:
        if dialect not in dialects.split() or exactly and of_loss == PART:
            continue
        found = re.match(of_body, place)
        wanted = of_loss.replace('(1)', found.group(1)) if found and found.groups() else of_loss
        if found and re.fullmatch(wanted, loss):
            return True
    return False


def known(loss):
    """A place of the canonical answer."""
    return re.fullmatch(r'/content(?:/\d+)?(/.+)?|/stop_reason|/service_tier'
                        r'|/logprobs|/choices/0/delta/audio/data|/usage/(cache_write_tokens|reasoning_tokens)', loss) is not None
