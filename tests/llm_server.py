"""A scripted OpenAI-compatible server on loopback: real HTTP, real faults.

    with LLMServer([status(429, {"Retry-After": "0"}), reply(json_text)]) as server:
        OpenAIEndpoint("an-llm", server.url, ...)

Each request takes the next behaviour of the script; the last one is repeated. `server.requests` are the bodies. What is
asked by the Responses API is answered in its form.
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
        self._asked = threading.Event()
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

    def asked(self, seconds: float) -> bool:
        """Whether a request came within so many seconds."""
        return self._asked.wait(seconds)

    def received(self, path: str, headers: dict[str, str], body: bytes) -> Behaviour:
        """Notes one request and says how to behave."""
        with self._lock:
            self.paths.append(path)
            self.headers.append(headers)
            self.requests.append(json.loads(body))
            self._asked.set()
            return self.script[min(len(self.requests), len(self.script)) - 1]


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    llm: LLMServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests want; nothing is printed."""


class _Handler(BaseHTTPRequestHandler):
    server: _HTTPServer

    asked: dict[str, Any]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked = json.loads(body)
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
    usage: tuple[Any, Any] | None = (1000, 200),
    model: str = "an-llm-2031-12-27",
) -> Behaviour:
    """An answer with that content, in the form of the API that was asked; `usage`: tokens in and out."""

    def behave(handler: _Handler) -> None:
        if handler.path.endswith("/responses"):
            answer = _response(content, finish_reason, refusal)
            names = ("input_tokens", "output_tokens")
        else:
            message = {"role": "assistant", "content": content, "refusal": refusal}
            choice = {"index": 0, "message": message, "finish_reason": finish_reason}
            answer = {"object": "chat.completion", "choices": [choice]}
            names = ("prompt_tokens", "completion_tokens")
        counted = {"usage": dict(zip(names, usage, strict=True))} if usage else {}
        handler.send(200, json.dumps({"id": "answer-1", "model": model, **answer, **counted}).encode())

    return behave


def _response(content: str | None, finish_reason: str, refusal: str | None) -> dict[str, Any]:
    """The Responses API's form, as a reasoning LLM gives it."""
    said = [{"type": "output_text", "text": content, "annotations": []}] if content is not None else []
    refused = [{"type": "refusal", "refusal": refusal}] if refusal else []
    thoughts = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    message = {"type": "message", "role": "assistant", "content": [*said, *refused]}
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(finish_reason)
    state = {"status": "incomplete", "incomplete_details": {"reason": reason}} if reason else {"status": "completed"}
    return {"object": "response", "output": [thoughts, message], **state}


def no_choices() -> Behaviour:
    """An answer in either form without anything in it, nor what it took."""
    return raw(b'{"id": "answer-1", "model": "an-llm", "choices": [], "output": []}')


def raw(body: bytes, code: int = 200, headers: dict[str, str] | None = None) -> Behaviour:
    """Exactly these bytes."""
    return lambda handler: handler.send(code, body, headers)


def status(
    code: int, headers: dict[str, str] | None = None, message: str = "scripted", kind: str | None = None
) -> Behaviour:
    """An error in OpenAI's form; `kind` is its code."""
    return raw(json.dumps({"error": {"message": message, "type": "scripted", "code": kind}}).encode(), code, headers)


def unless(words: str, otherwise: Behaviour, behaviour: Behaviour) -> Behaviour:
    """`otherwise` for a request that holds these words, else `behaviour`."""
    return lambda handler: (otherwise if words in json.dumps(handler.asked) else behaviour)(handler)


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


def drip(start: bytes = b"", code: int = 200) -> Behaviour:
    """A byte every now and then, until the server is closed: of the header, or of a body after its `start`."""

    def behave(handler: _Handler) -> None:
        if start:
            handler.send_response(code)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
        handler.wfile.write(start or b"HTTP/1.1 200 OK\r\nX-Drip: ")
        while not handler.server.llm.closing.wait(0.02):
            handler.wfile.write(b"x")

    return behave


def endless(code: int = 200) -> Behaviour:
    """A body that goes on until the client hangs up."""

    def behave(handler: _Handler) -> None:
        handler.send_response(code)
        handler.end_headers()
        while not handler.server.llm.closing.is_set():
            handler.wfile.write(b"x" * 100_000)

    return behave
