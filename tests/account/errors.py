"""Failures: what an upstream says must reach the client, with a status of the
same class. Errors have no losses, so the message and the status are all there
is to account for.
"""
import json

TOKEN = 'q00001z'
# What each vendor calls these statuses.
WORDS = {400: ('invalid_request_error', 'INVALID_ARGUMENT'),
         401: ('authentication_error', 'UNAUTHENTICATED'),
         403: ('permission_error', 'PERMISSION_DENIED'), 404: ('not_found_error', 'NOT_FOUND'),
         429: ('rate_limit_error', 'RESOURCE_EXHAUSTED'), 500: ('api_error', 'INTERNAL'),
         503: ('overloaded_error', 'UNAVAILABLE'), 529: ('overloaded_error', 'UNAVAILABLE')}
# Statuses that clients of the other API do not know.
RENAMED = {529: (503,), 401: (403,)}


def body(dialect, status):
    anthropic, google = WORDS[status]
    if dialect == 'claude':
        return {'type': 'error', 'error': {'type': anthropic, 'message': TOKEN}, 'request_id': 'req_1'}
    if dialect == 'gemini':
        return {'error': {'code': status, 'message': TOKEN, 'status': google}}
    if dialect in ('bedrock', 'bedrock-converse'):
        return {'message': TOKEN}
    return {'error': {'message': TOKEN, 'type': 'some_error', 'param': None, 'code': None}}


def lines(source, targets):
    return [{'noun': 'error', 'from': source, 'to': target, 'status': status, 'body': body(source, status)}
            for target in targets for status in WORDS]


def problems(line, answer):
    """(kind, place, detail)"""
    out = []
    if TOKEN not in answer['body']:
        out.append(('silent', '/error/message', 'the message is not in %s' % answer['body']))
    if answer['status'] not in (line['status'], *RENAMED.get(line['status'], ())):
        out.append(('wrong status', '(status %d)' % line['status'], 'it becomes %d' % answer['status']))
    if not isinstance(json.loads(answer['body']), dict):
        out.append(('wrong type', '', answer['body']))
    return out
