"""Answers as streams: made by the rules of each dialect, and read back.

`events` says what an upstream would send for a body that generator.py made;
`bytes_of` frames it, `cut` cuts it anywhere. `Stream` puts together what came
out, by members and indices alone: pieces of one member of one part belong
together, whatever the dialect.
"""
import base64
import binascii
import copy
import json
import random
import struct

# ---- framing


def sse(name, data):
    head = 'event: %s\n' % name if name else ''
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return (head + 'data: %s\n\n' % text).encode()


def frame(name, data):
    """application/vnd.amazon.eventstream"""
    head = b''
    for key, value in ((':event-type', name), (':content-type', 'application/json'), (':message-type', 'event')):
        head += bytes([len(key)]) + key.encode() + b'\x07' + struct.pack('>H', len(value)) + value.encode()
    body = json.dumps(data).encode()
    prelude = struct.pack('>II', 16 + len(head) + len(body), len(head))
    prelude += struct.pack('>I', binascii.crc32(prelude))
    out = prelude + head + body
    return out + struct.pack('>I', binascii.crc32(out))


def frames(data):
    """(event type, JSON) of an event stream."""
    while data:
        total, head = struct.unpack('>II', data[:8])
        headers, at = {}, 12
        while at < 12 + head:
            size = data[at]
            key = data[at + 1:at + 1 + size].decode()
            at += 2 + size
            length = struct.unpack('>H', data[at:at + 2])[0]
            headers[key] = data[at + 2:at + 2 + length].decode()
            at += 2 + length
        yield headers.get(':event-type', ''), json.loads(data[12 + head:total - 4] or '{}')
        data = data[total:]


def events_of_sse(data):
    for block in data.decode().replace('\r\n', '\n').split('\n\n'):
        lines = [l[5:].lstrip(' ') for l in block.split('\n') if l.startswith('data:')]
        if lines and lines != ['[DONE]']:
            yield json.loads('\n'.join(lines))


# ---- making


def pieces(text, rng):
    """A text in one to three parts."""
    cuts = sorted({rng.randint(0, len(text)) for _ in range(rng.randint(0, 2))} | {0, len(text)})
    return [text[a:b] for a, b in zip(cuts, cuts[1:])] or ['']


def openai_chat(body, rng):
    head = {k: v for k, v in body.items() if k not in ('choices', 'usage')}
    head['object'] = 'chat.completion.chunk'
    chunk = lambda choices, **more: dict(head, choices=choices, **more)
    choice = body['choices'][0]
    delta = lambda d, finish=None, **more: chunk([dict({'index': 0, 'delta': d, 'finish_reason': finish}, **more)])
    message = dict(choice['message'])
    yield delta({'role': message.pop('role'), 'content': ''})
    for key in ('content', 'refusal'):
        for piece in pieces(message.pop(key, None) or '', rng):
            if piece:
                yield delta({key: piece})
    calls = [c for c in message.pop('tool_calls', ())]
    for i, call in enumerate(calls):
        inner = 'custom' if call['type'] == 'custom' else 'function'
        words = dict(call[inner])
        text = 'input' if inner == 'custom' else 'arguments'
        long = words.pop(text)
        yield delta({'tool_calls': [dict(call, index=i, **{inner: dict(words, **{text: ''})})]})
        for piece in pieces(long, rng):
            yield delta({'tool_calls': [{'index': i, inner: {text: piece}}]})
    old = message.pop('function_call', None)
    if old:
        yield delta({'function_call': {'name': old['name'], 'arguments': ''}})
        for piece in pieces(old['arguments'], rng):
            yield delta({'function_call': {'arguments': piece}})
    if message:
        yield delta(message)
    if choice.get('logprobs'):
        yield delta({}, logprobs=choice['logprobs'])
    yield delta({}, choice['finish_reason'])
    if body.get('usage'):
        yield chunk([], usage=body['usage'])
    yield '[DONE]'


def claude(body, rng):
    start = dict(body, content=[], stop_reason=None, stop_sequence=None)
    start.pop('stop_details', None)
    usage = body['usage']
    start['usage'] = dict(usage, output_tokens=1)
    start['usage'].pop('output_tokens_details', None)
    yield {'type': 'message_start', 'message': start}
    for i, block in enumerate(body['content']):
        first = dict(block)
        deltas = []
        kind = block['type']
        if kind == 'text':
            first['text'] = ''
            first.pop('citations', None)
            deltas += [{'type': 'citations_delta', 'citation': c} for c in block.get('citations') or ()]
            deltas += [{'type': 'text_delta', 'text': p} for p in pieces(block['text'], rng)]
        elif kind == 'thinking':
            first.update(thinking='', signature='')
            deltas += [{'type': 'thinking_delta', 'thinking': p} for p in pieces(block['thinking'], rng)]
            deltas.append({'type': 'signature_delta', 'signature': block['signature']})
        elif kind in ('tool_use', 'server_tool_use'):
            first['input'] = {}
            deltas += [{'type': 'input_json_delta', 'partial_json': p}
                       for p in pieces(json.dumps(block['input']), rng)]
        yield {'type': 'content_block_start', 'index': i, 'content_block': first}
        for delta in deltas:
            yield {'type': 'content_block_delta', 'index': i, 'delta': delta}
        yield {'type': 'content_block_stop', 'index': i}
    end = {k: body.get(k) for k in ('stop_reason', 'stop_sequence', 'stop_details', 'container') if k in body}
    later = {k: usage[k] for k in ('output_tokens', 'output_tokens_details') if k in usage}
    yield {'type': 'message_delta', 'delta': end, 'usage': later}
    yield {'type': 'message_stop'}


def gemini(body, rng):
    head = {k: v for k, v in body.items() if k in ('modelVersion', 'responseId', 'createTime')}
    last = {k: v for k, v in body.items() if k not in ('candidates',)}
    candidate = body['candidates'][0]
    for part in candidate['content']['parts']:
        texts = pieces(part['text'], rng) if set(part) <= {'text', 'thought'} else None
        for piece in [dict(part, text=t) for t in texts] if texts else [part]:
            yield dict(head, candidates=[{'content': {'role': 'model', 'parts': [piece]}}])
    end = {k: v for k, v in candidate.items() if k != 'content'}
    yield dict(last, candidates=[dict(end, content={'role': 'model', 'parts': [{'text': ''}]})])


def converse(body, rng):
    message = body['output']['message']
    yield 'messageStart', {'role': message['role']}
    for i, block in enumerate(message['content']):
        at = {'contentBlockIndex': i}
        if 'toolUse' in block:
            start = {k: v for k, v in block['toolUse'].items() if k != 'input'}
            yield 'contentBlockStart', dict(at, start={'toolUse': start})
            deltas = [{'toolUse': {'input': p}} for p in pieces(json.dumps(block['toolUse']['input']), rng)]
        elif 'text' in block:
            deltas = [{'text': p} for p in pieces(block['text'], rng)]
        elif 'reasoningContent' in block:
            inner = block['reasoningContent']
            said = inner.get('reasoningText', {})
            deltas = [{'reasoningContent': {'text': p}} for p in pieces(said.get('text', ''), rng) if said]
            deltas += [{'reasoningContent': {'signature': said['signature']}}] if 'signature' in said else []
            deltas += [{'reasoningContent': {'redactedContent': inner['redactedContent']}}] \
                if 'redactedContent' in inner else []
        elif 'citationsContent' in block:
            inner = block['citationsContent']
            deltas = [{'text': c['text']} for c in inner.get('content', ())]
            deltas += [{'citation': dict(c)} for c in inner.get('citations', ())]
        elif 'image' in block:
            yield 'contentBlockStart', dict(at, start={'image': {'format': block['image']['format']}})
            deltas = [{'image': {k: v for k, v in block['image'].items() if k != 'format'}}]
        else:
            continue
        for delta in deltas:
            yield 'contentBlockDelta', dict(at, delta=delta)
        yield 'contentBlockStop', at
    end = {'stopReason': body['stopReason']}
    if 'additionalModelResponseFields' in body:
        end['additionalModelResponseFields'] = body['additionalModelResponseFields']
    yield 'messageStop', end
    yield 'metadata', {k: v for k, v in body.items()
                       if k in ('usage', 'metrics', 'trace', 'performanceConfig', 'serviceTier')}


def responses(body, rng):
    count = iter(range(100000))
    event = lambda kind, **more: dict({'type': kind, 'sequence_number': next(count)}, **more)
    begun = dict(body, status='in_progress', output=[])
    begun.pop('usage', None)
    begun.pop('incomplete_details', None)
    yield event('response.created', response=begun)
    yield event('response.in_progress', response=begun)
    for i, item in enumerate(body['output']):
        yield from responses_item(i, item, event, rng)
    done = {'incomplete': 'response.incomplete', 'failed': 'response.failed'}
    yield event(done.get(body['status'], 'response.completed'), response=body)


def responses_item(i, item, event, rng):
    at = {'output_index': i, 'item_id': item.get('id', 'item')}
    first = copy.deepcopy(item)
    if 'status' in first:
        first['status'] = 'in_progress'
    for long in ('content', 'summary'):
        if isinstance(first.get(long), list):
            first[long] = []
    for long in ('arguments', 'input'):
        if isinstance(first.get(long), str):
            first[long] = ''
    yield event('response.output_item.added', output_index=i, item=first)
    kind = item['type']
    if kind == 'message':
        for j, part in enumerate(item['content']):
            yield from responses_part(dict(at, content_index=j), part, event, rng)
    elif kind == 'reasoning':
        for j, part in enumerate(item.get('summary', ())):
            where = dict(at, summary_index=j)
            yield event('response.reasoning_summary_part.added', part=dict(part, text=''), **where)
            for piece in pieces(part['text'], rng):
                yield event('response.reasoning_summary_text.delta', delta=piece, **where)
            yield event('response.reasoning_summary_text.done', text=part['text'], **where)
            yield event('response.reasoning_summary_part.done', part=part, **where)
        for j, part in enumerate(item.get('content', ())):
            where = dict(at, content_index=j)
            for piece in pieces(part['text'], rng):
                yield event('response.reasoning_text.delta', delta=piece, **where)
            yield event('response.reasoning_text.done', text=part['text'], **where)
    elif kind == 'function_call':
        for piece in pieces(item['arguments'], rng):
            yield event('response.function_call_arguments.delta', delta=piece, **at)
        yield event('response.function_call_arguments.done', arguments=item['arguments'], name=item['name'], **at)
    elif kind == 'custom_tool_call':
        for piece in pieces(item['input'], rng):
            yield event('response.custom_tool_call_input.delta', delta=piece, **at)
        yield event('response.custom_tool_call_input.done', input=item['input'], **at)
    yield event('response.output_item.done', output_index=i, item=item)


def responses_part(at, part, event, rng):
    word = 'refusal' if part['type'] == 'refusal' else 'text'
    name = 'response.refusal' if word == 'refusal' else 'response.output_text'
    first = dict(part, **{word: ''})
    for long in ('annotations', 'logprobs'):
        if long in first:
            first[long] = []
    yield event('response.content_part.added', part=first, **at)
    for piece in pieces(part[word], rng):
        more = {} if word == 'refusal' else {'logprobs': []}
        yield event(name + '.delta', delta=piece, **more, **at)
    for k, annotation in enumerate(part.get('annotations') or ()):
        yield event('response.output_text.annotation.added', annotation=annotation, annotation_index=k, **at)
    more = {} if word == 'refusal' else {'logprobs': part.get('logprobs', [])}
    yield event(name + '.done', **{word: part[word]}, **more, **at)
    yield event('response.content_part.done', part=part, **at)


def chunks(dialect, body, rng):
    """The whole stream's bytes, one string an event."""
    if dialect == 'bedrock-converse':
        return [frame(name, data) for name, data in converse(body, rng)]
    if dialect == 'bedrock':
        return [frame('chunk', {'bytes': base64.b64encode(json.dumps(e).encode()).decode()})
                for e in claude(body, rng)]
    make = {'openai-chat': openai_chat, 'claude': claude, 'gemini': gemini, 'openai-responses': responses}
    named = dialect in ('claude', 'openai-responses')
    return [sse(e['type'] if named else None, e) for e in make[dialect](body, rng)]


def cut(whole, rng):
    """The same bytes, cut anywhere."""
    data = b''.join(whole)
    cuts = sorted({rng.randint(0, len(data)) for _ in range(rng.randint(0, 6))} | {0, len(data)})
    return [data[a:b] for a, b in zip(cuts, cuts[1:])]


# ---- reading what came out

INDICES = ('index', 'output_index', 'content_index', 'summary_index', 'contentBlockIndex')


def read(dialect, data):
    """Events of a client's stream."""
    if dialect == 'bedrock-converse':
        return [dict(event, type=name) for name, event in frames(data)]
    if dialect == 'bedrock':
        return [json.loads(base64.b64decode(event['bytes'])) if 'bytes' in event else event
                for _, event in frames(data)]
    return list(events_of_sse(data))


def joined(events):
    """Events, and behind them the texts whose pieces they hold, as one value."""
    texts = {}
    for event in events:
        gather(event, (event.get('type'),) + tuple(event.get(i) for i in INDICES), texts)
    return [events, list(texts.values())]


def gather(value, key, texts):
    if isinstance(value, dict):
        for name, inner in value.items():
            more = (name,) + ((value.get('thought'),) if name == 'text' else ())
            gather(inner, key + more, texts)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            at = inner.get('index', i) if isinstance(inner, dict) else i
            gather(inner, key + (at,), texts)
    elif isinstance(value, str):
        texts[key] = texts.get(key, '') + value
