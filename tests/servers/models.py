"""A server that answers like those of language models, or misbehaves in every way they have been seen to: real sockets.

It runs in threads, so that the bot may be in this process or in another one.
"""

import gzip
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeAlias

Answer: TypeAlias = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """One request; what the test chose answers it."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        request = json.loads(self.rfile.read(length))
        self.server.owner.came.append((self.path, dict(self.headers), request))
        self.asked = request
        self.close_connection = True
        try:
            self.server.owner.answer_of(request)(self)
        except (BrokenPipeError, ConnectionResetError):
            self.server.owner.cut_off += 1

    def sends(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", headers.pop("Content_Type", "application/json"))
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: "ModelServer"


@dataclass
class ModelServer:
    """The server; `answers` gives each model its own way to answer, and all others do as `answer` says.

    Attributes:
        came: Path, headers and body of every request.
        cut_off: Answers that nobody read to the end.
        over: Set when the test is over, so that whoever sleeps wakes.
    """

    answer: Answer = field(default_factory=lambda: says("hello"))
    answers: dict[str, Answer] = field(default_factory=dict)
    came: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    cut_off: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), Asked)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answer_of(self, request: Mapping[str, Any]) -> Answer:
        return self.answers.get(str(request["model"]), self.answer)

    @property
    def asked_models(self) -> list[str]:
        """Which models were asked, in order."""
        return [body["model"] for _, _, body in self.came]

    # Ways to answer ------------------------------------------------------------------------------------------------------

    def slow(self, asked: Asked) -> None:
        """Says nothing until it is over."""
        self.over.wait(30)

    def endless(self, asked: Asked) -> None:
        """Begins well, and never ends."""
        asked.send_response(200)
        asked.send_header("Content-Type", "application/json")
        asked.end_headers()
        asked.wfile.write(b'{"id": "x", "choices": [{"message": {"content": "')
        while not self.over.is_set():
            asked.wfile.write(b"la " * 20_000)

    def drips(self, asked: Asked) -> None:
        """Sends a byte now and then, so that each wait is short."""
        asked.send_response(200)
        asked.send_header("Content-Type", "application/json")
        asked.end_headers()
        while not self.over.wait(0.05):
            asked.wfile.write(b" ")


def completion(content: Any, **message: Any) -> dict[str, Any]:
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
        "usage": {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42},
    }


def says(text: str) -> Answer:
    """Answers with that text."""
    return lambda asked: asked.sends(json.dumps(completion(text)).encode())


def echoes(asked: Asked) -> None:
    """Answers with whatever it was asked last: the most obedient victim of whoever wrote that."""
    asked.sends(json.dumps(completion(asked.asked["messages"][-1]["content"])).encode())


def fails(status: int) -> Answer:
    """Refuses, and tells all that it was sent."""
    return lambda asked: asked.sends(json.dumps({"error": {"message": str(dict(asked.headers))}}).encode(), status)


def sends(body: bytes, status: int = 200, **headers: str) -> Answer:
    """Answers with just that."""
    return lambda asked: asked.sends(body, status, **headers)


def packed(asked: Asked) -> None:
    """Answers with little that would be very much."""
    asked.sends(gzip.compress(b"[" * 50_000_000), Content_Encoding="gzip")


def cuts(asked: Asked) -> None:
    """Announces more than it sends."""
    asked.send_response(200)
    asked.send_header("Content-Length", "1000")
    asked.end_headers()
    asked.wfile.write(b'{"id": "x"')
