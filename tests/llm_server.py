"""A scripted OpenAI-compatible server on loopback: real HTTP, real faults.

    with LLMServer([status(429, {"Retry-After": "0"}), reply(json_text)]) as server:
        OpenAIProvider("an-llm", server.url, ...)

Each request takes the next behaviour of the script; the last one is repeated. `server.requests` are the bodies.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Behaviour = Callable[["_Handler"], None]


class LLMServer:
    """Serves its script on a free port of 127.0.0.1 until the end of the `with` block."""

    def __init__(self, script: Sequence[Behaviour]) -> None:
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._http = _HTTPServer(("127.0.0.1", 0), _Handler)
        self._http.llm = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """What OPENAI_BASE_URL would be."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> LLMServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def received(self, path: str, headers: dict[str, str], body: bytes) -> Behaviour:
        """Notes one request and says how to behave."""
        with self._lock:
            self.paths.append(path)
            self.headers.append(headers)
            self.requests.append(json.loads(body))
            return self.script[min(len(self.requests), len(self.script)) - 1]


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    llm: LLMServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests want; nothing is printed."""


class _Handler(BaseHTTPRequestHandler):
    server: _HTTPServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.llm.received(self.path, dict(self.headers.items()), body)(self)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def send(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def reply(
    content: str | None,
    *,
    finish_reason: str = "stop",
    refusal: str | None = None,
    usage: dict[str, int] | None = None,
    without_usage: bool = False,
    model: str = "an-llm-2031-12-27",
) -> Behaviour:
    """A chat completion with that content; `usage` is 1000 + 200 tokens unless said."""
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": refusal},
                "finish_reason": finish_reason,
            }
        ],
    }
    if not without_usage:
        body["usage"] = usage or {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
    return raw(json.dumps(body).encode())


def no_choices() -> Behaviour:
    """A chat completion without an answer in it."""
    return raw(b'{"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "an-llm", "choices": []}')


def raw(body: bytes, code: int = 200, headers: dict[str, str] | None = None) -> Behaviour:
    """Exactly these bytes."""
    return lambda handler: handler.send(code, body, headers)


def status(code: int, headers: dict[str, str] | None = None, message: str = "scripted") -> Behaviour:
    """An error in OpenAI's form."""
    return raw(json.dumps({"error": {"message": message, "type": "scripted", "code": None}}).encode(), code, headers)


def reset() -> Behaviour:
    """The connection is reset before a byte of an answer."""

    def behave(handler: _Handler) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()

    return behave


def broken_off() -> Behaviour:
    """The answer ends in the middle of its body."""

    def behave(handler: _Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"id": "chatcmpl-1", "choi')

    return behave


def hang() -> Behaviour:
    """Nothing comes, until the server is closed."""

    def behave(handler: _Handler) -> None:
        handler.server.llm.closing.wait(30)

    return behave
