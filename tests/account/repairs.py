"""Makes a body valid where its parts must fit each other.

The types of the SDKs do not say that a result answers a call, that a chosen
tool is declared, or that the user speaks first. What is added here stands
behind what was made, and is canaries as well.
"""
import json

DEFAULT_MODEL = 'm'


def repair(dialect, noun, body, maker):
    if noun == 'request':
        REQUESTS[dialect](body, maker)
    else:
        ANSWERS[dialect](body, maker)


def hosted_alone(body, own):
    """There are tools, and none of them is the client's: those are not dropped."""
    return bool(body.get('tools')) and not any(own(t) for t in body['tools'])


def schema(maker):
    return {'type': 'object', 'properties': {maker.token(): {'type': 'string'}}}


# ---- openai-chat


def chat_result(call, maker):
    return {'role': 'tool', 'tool_call_id': call['id'], 'content': maker.token()}


def chat_call(call_id, name, maker):
    return {'id': call_id, 'type': 'function',
            'function': {'name': name, 'arguments': json.dumps({maker.token(): maker.token()})}}


def chat_messages(messages, maker):
    user = lambda: {'role': 'user', 'content': maker.token()}
    out = []
    for message in messages:
        role = message['role']
        if role in ('assistant', 'tool', 'function') and not any(m['role'] == 'user' for m in out):
            out.append(user())
        if role == 'tool':
            out.append({'role': 'assistant', 'tool_calls': [
                chat_call(message['tool_call_id'], maker.token(), maker)]})
        if role == 'function':
            out.append({'role': 'assistant', 'content': None, 'function_call': {
                'name': message['name'], 'arguments': json.dumps({maker.token(): maker.token()})}})
        if role == 'assistant' and not message.keys() & {'tool_calls', 'function_call', 'content', 'refusal', 'audio'}:
            message['content'] = maker.token()
        out.append(message)
        for call in message.get('tool_calls', ()):
            out.append(chat_result(call, maker))
        if message.get('function_call'):
            out.append({'role': 'function', 'name': message['function_call']['name'],
                        'content': maker.token()})
    if not out or out[-1]['role'] not in ('user', 'tool', 'function'):
        out.append(user())
    return out


def chat_request(body, maker):
    body['messages'] = chat_messages(body['messages'], maker)
    functions, customs = [], []
    old = False
    for message in body['messages']:
        for call in message.get('tool_calls', ()):
            if call['type'] == 'custom':
                customs.append(call['custom']['name'])
            else:
                functions.append(call['function']['name'])
        if message.get('function_call'):
            functions.append(message['function_call']['name'])
            old = True
    choice = body.get('tool_choice')
    if isinstance(choice, dict):
        allowed = choice.get('allowed_tools')
        if allowed:
            functions += [t['function']['name'] for t in allowed['tools']]
        elif choice['type'] == 'custom':
            customs.append(choice['custom']['name'])
        else:
            functions.append(choice['function']['name'])
    if isinstance(body.get('function_call'), dict):
        functions.append(body['function_call']['name'])
    chosen = isinstance(choice, dict)
    old = old or 'function_call' in body or 'functions' in body
    wants = any(k in body for k in ('tool_choice', 'parallel_tool_calls', 'web_search_options', 'function_call'))
    if wants and not functions and not customs and not body.get('tools') and not body.get('functions'):
        functions.append(maker.token())
    make = lambda name: {'name': name, 'description': maker.token(), 'parameters': schema(maker)}
    if functions and old and 'tools' not in body and not chosen:
        body.setdefault('functions', []).extend(make(n) for n in dict.fromkeys(functions))
    elif functions or customs:
        tools = body.setdefault('tools', [])
        tools += [{'type': 'function', 'function': make(n)} for n in dict.fromkeys(functions)]
        tools += [{'type': 'custom', 'custom': {'name': n, 'description': maker.token()}}
                  for n in dict.fromkeys(customs)]
    if 'top_logprobs' in body:
        body['logprobs'] = True
    if isinstance(body.get('response_format'), dict) and body['response_format']['type'] == 'json_object':
        body['messages'].append({'role': 'user', 'content': 'JSON ' + maker.token()})


# ---- openai-responses

PAIRS = {'function_call': 'function_call_output', 'custom_tool_call': 'custom_tool_call_output',
         'local_shell_call': 'local_shell_call_output', 'shell_call': 'shell_call_output',
         'apply_patch_call': 'apply_patch_call_output', 'computer_call': 'computer_call_output',
         'tool_search_call': 'tool_search_output', 'program': 'program_output'}
CALLS = {output: call for call, output in PAIRS.items()}


def responses_call(kind, result, maker):
    out = {'type': kind, 'call_id': result['call_id'], 'name': result.get('name') or maker.token()}
    if 'namespace' in result:
        out['namespace'] = result['namespace']
    if kind == 'function_call':
        out['arguments'] = json.dumps({maker.token(): maker.token()})
    elif kind == 'custom_tool_call':
        out['input'] = maker.token()
    return out


def responses_items(items, maker):
    user = lambda: {'type': 'message', 'role': 'user',
                    'content': [{'type': 'input_text', 'text': maker.token()}]}
    out = []
    for item in items:
        if 'type' not in item and 'role' not in item:
            item['type'] = 'item_reference'
        kind = item.get('type', 'message')
        if not out and (kind != 'message' or item['role'] == 'assistant'):
            out.append(user())
        if CALLS.get(kind) in ('function_call', 'custom_tool_call'):
            out.append(responses_call(CALLS[kind], item, maker))
        out.append(item)
        if kind == 'message' and isinstance(item.get('content'), list) and item.get('role') != 'assistant':
            said = any(p['type'] == 'input_text' for p in item['content'])
            item['content'] += [] if said else [{'type': 'input_text', 'text': maker.token()}]
        if kind in ('function_call', 'custom_tool_call'):
            out.append({'type': PAIRS[kind], 'call_id': item['call_id'], 'output': maker.token()})
    last = out[-1]
    if last.get('type', 'message') != 'message' and not last['type'].endswith('_output') \
            or last.get('role') not in (None, 'user'):
        out.append(user())
    return out


def responses_tool(tool, maker, functions, customs):
    kind = tool['type']
    (customs if kind == 'custom' else functions).append(tool.get('name'))


def responses_request(body, maker):
    if not body.keys() & {'input', 'prompt', 'conversation', 'previous_response_id'} or 'input' not in body:
        body['input'] = [{'type': 'message', 'role': 'user',
                          'content': [{'type': 'input_text', 'text': maker.token()}]}]
    body.setdefault('model', maker.token())
    functions, customs = [], []
    if isinstance(body['input'], list):
        body['input'] = responses_items(body['input'], maker)
        for item in body['input']:
            if item.get('type') == 'function_call' and 'namespace' not in item:
                functions.append(item['name'])
            if item.get('type') == 'custom_tool_call' and 'namespace' not in item:
                customs.append(item['name'])
    choice = body.get('tool_choice')
    if isinstance(choice, dict):
        if choice['type'] == 'function':
            functions.append(choice['name'])
        elif choice['type'] == 'custom':
            customs.append(choice['name'])
        elif choice['type'] == 'allowed_tools':
            functions += [t['name'] for t in choice['tools']]
    more = isinstance(body['input'], list) and any('tools' in i for i in body['input'])
    wants = 'tool_choice' in body or 'parallel_tool_calls' in body or more or hosted_alone(
        body, lambda t: t['type'] in ('function', 'custom', 'namespace'))
    if wants and not functions and not customs:
        functions.append(maker.token())
    if functions or customs:
        tools = body.setdefault('tools', [])
        tools += [{'type': 'function', 'name': n, 'description': maker.token(),
                   'parameters': schema(maker), 'strict': False} for n in dict.fromkeys(functions)]
        tools += [{'type': 'custom', 'name': n, 'description': maker.token()}
                  for n in dict.fromkeys(customs)]
    format = body.get('text', {}).get('format', {})
    if format.get('type') == 'json_object':
        body['input'] = [{'type': 'message', 'role': 'user',
                          'content': [{'type': 'input_text', 'text': 'JSON ' + maker.token()}]}]


# ---- claude, bedrock


OF_CLAUDE = {'tool_use', 'thinking', 'redacted_thinking', 'server_tool_use', 'web_search_tool_result',
             'web_fetch_tool_result', 'code_execution_tool_result', 'bash_code_execution_tool_result',
             'text_editor_code_execution_tool_result', 'tool_search_tool_result'}
OF_THE_USER = {'tool_result', 'image', 'document', 'search_result', 'container_upload'}


def claude_turns(messages, maker):
    text = lambda: {'type': 'text', 'text': maker.token()}
    out = []
    for message in messages:
        blocks = message['content'] if isinstance(message['content'], list) else []
        kinds = {b['type'] for b in blocks}
        if message['role'] == 'user' and kinds & OF_CLAUDE:
            message['role'] = 'assistant'
        elif message['role'] == 'assistant' and kinds & OF_THE_USER:
            message['role'] = 'user'
        results = [b for b in blocks if b['type'] == 'tool_result']
        calls = [b for b in blocks if b['type'] == 'tool_use']
        if message['role'] != 'user' and not out or results and not out:
            out.append({'role': 'user', 'content': [text()]})
        if results:
            out.append({'role': 'assistant', 'content': [
                {'type': 'tool_use', 'id': r['tool_use_id'], 'name': maker.token(),
                 'input': {maker.token(): maker.token()}} for r in results]})
        out.append(message)
        if blocks and message['role'] == 'user' and not any(b['type'] == 'text' for b in blocks):
            blocks.append(text())
        if message['role'] == 'assistant' and calls:
            out.append({'role': 'user', 'content': [
                {'type': 'tool_result', 'tool_use_id': c['id'], 'content': maker.token()} for c in calls]})
    if out[-1]['role'] != 'user':
        out.append({'role': 'user', 'content': [text()]})
    return out


def claude_request(body, maker):
    body['messages'] = claude_turns(body['messages'], maker)
    names = []
    for message in body['messages']:
        if isinstance(message['content'], list):
            names += [b['name'] for b in message['content'] if b['type'] == 'tool_use']
    choice = body.get('tool_choice')
    if choice and 'name' in choice:
        names.append(choice['name'])
    alone = hosted_alone(body, lambda t: 'input_schema' in t)
    if not names and (choice and not body.get('tools') or alone):
        names.append(maker.token())
    if names:
        body.setdefault('tools', []).extend(
            {'name': n, 'description': maker.token(), 'input_schema': schema(maker)}
            for n in dict.fromkeys(names))


def bedrock_request(body, maker):
    claude_request(body, maker)


# ---- gemini

OF_THE_MODEL = {'functionCall', 'executableCode', 'codeExecutionResult', 'toolCall',
                'toolResponse', 'thought', 'thoughtSignature', 'audioTranscription'}


def gemini_request(body, maker):
    contents = body['contents']
    text = lambda: {'role': 'user', 'parts': [{'text': maker.token()}]}
    out, names = [], []
    for content in contents:
        parts = content.get('parts', [])
        members = set().union(*parts) if parts else set()
        if members & OF_THE_MODEL and 'functionResponse' not in members:
            content['role'] = 'model'
        results = [p['functionResponse'] for p in parts if 'functionResponse' in p]
        calls = [p['functionCall'] for p in parts if 'functionCall' in p]
        if (content.get('role') == 'model' or results) and not out:
            out.append(text())
        if results:
            out.append({'role': 'model', 'parts': [
                {'functionCall': dict({'id': r['id']} if 'id' in r else {}, name=r['name'],
                                      args={maker.token(): maker.token()})} for r in results]})
        names += [r['name'] for r in results] + [c['name'] for c in calls]
        if not any('text' in p for p in parts):
            parts.append({'text': maker.token()})
        out.append(content)
        if calls:
            out.append({'role': 'user', 'parts': [
                {'functionResponse': dict({'id': c['id']} if 'id' in c else {}, name=c['name'],
                                          response={maker.token(): maker.token()})} for c in calls]})
    if not out or out[-1].get('role') == 'model':
        out.append(text())
    body['contents'] = out
    calling = body.get('toolConfig', {}).get('functionCallingConfig', {})
    if 'allowedFunctionNames' in calling:
        names += calling['allowedFunctionNames']
        calling.setdefault('mode', 'ANY')
    if not names and (calling and not body.get('tools')
                      or hosted_alone(body, lambda t: 'functionDeclarations' in t)):
        names.append(maker.token())
    if names:
        body.setdefault('tools', []).append({'functionDeclarations': [
            {'name': n, 'description': maker.token(), 'parametersJsonSchema': schema(maker)}
            for n in dict.fromkeys(names)]})
    config = body.get('generationConfig', {})
    if 'responseSchema' in config or 'responseJsonSchema' in config:
        config.setdefault('responseMimeType', 'application/json')
    if 'logprobs' in config:
        config['responseLogprobs'] = True


# ---- bedrock-converse

OF_THE_ASSISTANT = {'toolUse', 'reasoningContent', 'citationsContent'}


def converse_request(body, maker):
    out, names = [], []
    text = lambda: {'role': 'user', 'content': [{'text': maker.token()}]}
    for message in body['messages']:
        blocks = message['content']
        members = set().union(*blocks)
        if members & OF_THE_ASSISTANT:
            message['role'] = 'assistant'
        elif members - {'text', 'cachePoint'}:
            message['role'] = 'user'
        results = [b['toolResult'] for b in blocks if 'toolResult' in b]
        calls = [b['toolUse'] for b in blocks if 'toolUse' in b]
        if (message['role'] != 'user' or results) and not out:
            out.append(text())
        if results:
            made = [{'toolUse': {'toolUseId': r['toolUseId'], 'name': maker.token(),
                                 'input': {maker.token(): maker.token()}}} for r in results]
            names += [b['toolUse']['name'] for b in made]
            out.append({'role': 'assistant', 'content': made})
        if 'text' not in members:  # a cache point stands behind what it is of
            at = 0 if 'cachePoint' in members else len(blocks)
            blocks.insert(at, {'text': maker.token()})
        names += [c['name'] for c in calls]
        out.append(message)
        if calls:
            out.append({'role': 'user', 'content': [
                {'toolResult': {'toolUseId': c['toolUseId'], 'content': [{'text': maker.token()}]}}
                for c in calls]})
    if not out or out[-1]['role'] != 'user':
        out.append(text())
    body['messages'] = out
    if any('cachePoint' in b for b in body.get('system', ())):
        body['system'].insert(0, {'text': maker.token()})
    config = body.get('toolConfig', {})
    choice = config.get('toolChoice', {})
    if 'tool' in choice:
        names.append(choice['tool']['name'])
    if hosted_alone(config, lambda t: 'toolSpec' in t) and not names:
        names.append(maker.token())
    if names:
        config = body.setdefault('toolConfig', {})
        config.setdefault('tools', []).extend(
            {'toolSpec': {'name': n, 'description': maker.token(), 'inputSchema': {'json': schema(maker)}}}
            for n in dict.fromkeys(names))


# ---- answers


def add_up(usage, total, parts, maker):
    """`total` counts these as well; each of them is a power of two."""
    if total in usage:
        usage[total] += sum(usage_of(usage, p) for p in parts)
        maker.numbers.append(usage[total])


def usage_of(usage, path):
    at = usage
    for step in path.split('/'):
        at = at.get(step, 0) if isinstance(at, dict) else 0
    return at if isinstance(at, int) else 0


def set_total(usage, total, parts, maker):
    if total in usage:
        usage[total] = sum(usage_of(usage, p) for p in parts)
        maker.numbers.append(usage[total])


def chat_answer(body, maker):
    for choice in body['choices']:
        message = choice['message']
        if not message.keys() & {'content', 'tool_calls', 'refusal', 'function_call', 'audio'}:
            message['content'] = maker.token()
        if message.get('tool_calls') and choice['finish_reason'] == 'stop':
            choice['finish_reason'] = 'tool_calls'
    usage = body.get('usage', {})
    add_up(usage, 'prompt_tokens', ['prompt_tokens_details/cached_tokens',
                                    'prompt_tokens_details/cache_write_tokens'], maker)
    add_up(usage, 'completion_tokens', ['completion_tokens_details/reasoning_tokens'], maker)
    set_total(usage, 'total_tokens', ['prompt_tokens', 'completion_tokens'], maker)


def claude_answer(body, maker):
    if 'stop_reason' not in body:
        called = any(b['type'] == 'tool_use' for b in body['content'])
        body['stop_reason'] = 'tool_use' if called else 'end_turn'
    if 'stop_details' in body:
        body['stop_reason'] = 'refusal'
    if 'stop_sequence' in body:
        body['stop_reason'] = 'stop_sequence'
    add_up(body['usage'], 'output_tokens', ['output_tokens_details/thinking_tokens'], maker)


def responses_answer(body, maker):
    body.setdefault('status', 'completed')
    if 'incomplete_details' in body:
        body['status'] = 'incomplete'
    if 'error' in body:
        body['status'] = 'failed'
    if body['status'] == 'failed':
        body.setdefault('error', {'code': 'server_error', 'message': maker.token()})
    for item in body['output']:
        if item['type'] == 'message':
            item['role'] = 'assistant'
    usage = body.get('usage', {})
    add_up(usage, 'input_tokens', ['input_tokens_details/cached_tokens',
                                   'input_tokens_details/cache_write_tokens'], maker)
    add_up(usage, 'output_tokens', ['output_tokens_details/reasoning_tokens'], maker)
    set_total(usage, 'total_tokens', ['input_tokens', 'output_tokens'], maker)


def gemini_answer(body, maker):
    for candidate in body['candidates']:
        for part in candidate['content']['parts']:
            if 'functionResponse' in part:  # clients send those, models do not
                part['text'] = maker.token()
                del part['functionResponse']
    usage = body.get('usageMetadata', {})
    if usage:
        usage.setdefault('promptTokenCount', maker.power())
    add_up(usage, 'promptTokenCount', ['cachedContentTokenCount'], maker)
    set_total(usage, 'totalTokenCount', ['promptTokenCount', 'candidatesTokenCount',
                                         'thoughtsTokenCount', 'toolUsePromptTokenCount'], maker)


def converse_answer(body, maker):
    message = body['output']['message']
    message['role'] = 'assistant'
    called = any('toolUse' in b for b in message['content'])
    if called and body['stopReason'] == 'end_turn':
        body['stopReason'] = 'tool_use'
    set_total(body['usage'], 'totalTokens', ['inputTokens', 'outputTokens', 'cacheReadInputTokens',
                                             'cacheWriteInputTokens'], maker)


REQUESTS = {'openai-chat': chat_request, 'openai-responses': responses_request,
            'claude': claude_request, 'bedrock': bedrock_request,
            'gemini': gemini_request, 'bedrock-converse': converse_request}
ANSWERS = {'openai-chat': chat_answer, 'openai-responses': responses_answer,
           'claude': claude_answer, 'bedrock': claude_answer,
           'gemini': gemini_answer, 'bedrock-converse': converse_answer}
