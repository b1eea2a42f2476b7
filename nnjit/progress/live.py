"""Serve a page about a running process to a browser on this machine."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nnjit.errors import UserError, reason
from nnjit.progress.curves import Curves
from nnjit.progress.display import Display
from nnjit.progress.html import card
from nnjit.progress.values import Columns, last_row, losses, metrics, words

HOST = "127.0.0.1"  # this machine only
PAGE = Path(__file__).with_name("live.html")
WATCHED = 3.0  # seconds after a request during which a page counts as open
FAREWELL = 4.0  # seconds for an open page to fetch the final state
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # where it would share a port that is taken


class Live(Display):
    """A display as a web page: it polls the state as JSON, and shows the report once drawn.

    The address contains a token, so other users and pages cannot guess it.

    Args:
        port: the port; 0 for any free one.
        report: returns the report file, once there is a folder.

    Raises:
        UserError: the port is taken, or not allowed.
    """

    interval = 0.0

    def __init__(self, port: int, report: Callable[[], Path | None]) -> None:
        super().__init__()
        self._token, self._report = secrets.token_urlsafe(16), report
        self._lock, self._curves = threading.Lock(), Curves()
        self._words, self._done = "starting", 0
        self._columns: Columns = {}
        self._is_over, self._asked = False, -float("inf")
        self._said_goodbye = threading.Event()
        try:
            self._server = _Server((HOST, port), self._handler())
        except (OSError, OverflowError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            problem = f"--port {port}: the live page cannot be served there ({why})"
            raise UserError(f"{problem}; choose another port, or omit --port") from None
        threading.Thread(target=self._server.serve_forever, name="nnjit-live", daemon=True).start()

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self._server.server_address[1]}/{self._token}/"

    def stage(self, words: str) -> None:
        with self._lock:
            self._words = words or self._words

    def begin(self, first: int, total: int) -> None:
        super().begin(first, total)
        with self._lock:
            self._words, self._done = "", first

    def take(self, columns: Columns, member: int | None) -> None:
        with self._lock:
            self._curves.take(columns, member)

    def draw(self, done: int, columns: Columns) -> None:
        with self._lock:
            self._done, self._columns = done, columns

    def end(self) -> None:
        """The report is written: let an open page fetch it, then stop serving."""
        with self._lock:
            self._is_over, self._words = True, "training has ended"
        if time.monotonic() - self._asked < WATCHED:
            self._said_goodbye.wait(FAREWELL)
        self._server.shutdown()
        self._server.server_close()

    def state(self) -> dict[str, Any]:
        """The state to poll: HTML to show, the current report, and whether training is over."""
        with self._lock:
            report = self._report()
            stamp = str(report.stat().st_mtime_ns) if report is not None and report.is_file() else ""
            return {"html": self._html(), "title": self._title(), "report": stamp, "is_over": self._is_over}

    def _title(self) -> str:
        return f"{self._done}/{self.pace.total}" if self.pace.total else self._words

    def _html(self) -> str:
        if not self.pace.total:
            return card(f"{self._words} …", [], [])
        row = last_row(self._columns)
        shown = losses(row) | metrics(row)
        if "learning_rate" in row:
            shown["learning_rate"] = row["learning_rate"]
        speed = "" if self._is_over else self.pace.words(self._done)
        title = f"epoch {self._done:,} of {self.pace.total:,}{self._words and f': {self._words}'}"
        bar = f'<progress max="{self.pace.total}" value="{self._done}" style="width: 100%"></progress>'
        return card(title, [words(shown.items()), speed], [bar, self._curves.svg()])

    def _answer(self, path: str) -> tuple[str, bytes] | None:
        """The type and content of a requested path; None if it does not exist."""
        token, _, name = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return None
        self._asked = time.monotonic()
        if name == "":
            return "text/html", PAGE.read_bytes()
        if name == "state.json":
            return "application/json", json.dumps(self.state()).encode()
        if name == "report.html" and (report := self._report()) is not None and report.is_file():
            return "text/html", report.read_bytes()
        if name == "goodbye" and self._is_over:
            self._said_goodbye.set()
            return "text/plain", b""
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # name required by the library
                found = answer(self.path.partition("?")[0])
                kind, content = found or ("text/plain", b"not found")
                self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
                for name, value in HEADERS.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with suppress(OSError):  # the page was closed
                    self.wfile.write(content)

            def log_message(self, format: str, *given: Any) -> None:
                """Print nothing."""

        return Handler
