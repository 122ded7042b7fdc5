"""An upstream that reads any request and answers with a short text, or a long
one, in the dialect that its path names."""

import http.server
import json
import threading

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def answer(dialect, text):
    """A whole answer."""
    if dialect == "openai-chat":
        return {"id": "c", "object": "chat.completion", "created": 1,
                "model": "m", "usage": USAGE, "choices": [
                    {"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": text}}]}
    if dialect == "openai-responses":
        return {"id": "resp_1", "object": "response", "created_at": 1,
                "status": "completed", "model": "m", "output": [
                    {"id": "msg_1", "type": "message", "role": "assistant",
                     "status": "completed", "content": [
                         {"type": "output_text", "text": text,
                          "annotations": []}]}],
                "usage": {"input_tokens": 1, "output_tokens": 1,
                          "total_tokens": 2}}
    if dialect == "gemini":
        return {"candidates": [
            {"index": 0, "finishReason": "STOP",
             "content": {"role": "model", "parts": [{"text": text}]}}]}
    if dialect == "bedrock-converse":
        return {"output": {"message": {"role": "assistant",
                                       "content": [{"text": text}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": 1, "outputTokens": 1,
                          "totalTokens": 2}}
    return {"id": "msg_1", "type": "message", "role": "assistant",
            "model": "m", "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 1, "output_tokens": 1}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        left = int(self.headers["content-length"])
        self.server.received = left
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        dialect = self.path.split("/")[1]
        body = self.server.body or json.dumps(
            answer(dialect, self.server.text)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Stub(http.server.ThreadingHTTPServer):
    """`received` is the size of the last request; `text` is what it says,
    `body` what it answers instead."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.received, self.text, self.body = 0, "hi", None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]
