"""An HTTP server of a folder on this machine, with byte ranges, which misbehaves as it is told."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Fault = str | None  # 'drop', 'short', 'slow', 'whole' or a status such as '503'; None for a good answer


class Server(ThreadingHTTPServer):
    """Serves `folder`; `fault(n)` says what is to go wrong with request n, counted from 0."""

    daemon_threads = True

    def __init__(self, folder: Path, fault: Callable[[int], Fault]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.fault, self.requests = folder, fault, 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._counting = threading.Lock()

    def number(self) -> int:
        """Of this request."""
        with self._counting:
            self.requests += 1
            return self.requests - 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *arguments: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        fault = self.server.fault(self.server.number())
        path = self.server.folder / self.path.lstrip("/")
        if fault == "drop":
            self.close_connection = True
            return
        if fault == "slow":
            time.sleep(3)
        if (fault or "").isdigit() or not path.is_file():
            status = int(fault) if (fault or "").isdigit() else 404
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        size = path.stat().st_size
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, stop = (int(wanted[1]), min(int(wanted[2]) + 1, size)) if wanted and fault != "whole" else (0, size)
        self.send_response(206 if wanted and fault != "whole" else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(stop - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        if body:
            with path.open("rb") as file:
                file.seek(start)
                content = file.read(stop - start)
            if fault == "short":
                self.close_connection = True
                content = content[: len(content) // 2]
            self.wfile.write(content)


@contextmanager
def serving(folder: Path, fault: Callable[[int], Fault] = lambda n: None) -> Iterator[Server]:
    """A running server."""
    server = Server(folder, fault)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
