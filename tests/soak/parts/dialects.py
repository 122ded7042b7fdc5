"""The six dialects, as clients and as upstreams, under their names."""

from parts import (bedrock, claude, converse, gemini, openai_chat,
                   openai_responses)

DIALECTS = {one.NAME: one for one in (
    openai_chat, claude, openai_responses, gemini, bedrock, converse)}
NAMES = tuple(DIALECTS)
