"""A real XRootD server for tests, on a free port of this machine (Debian's package xrootd-server)."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SECONDS = 20.0  # for it to answer


@contextmanager
def serving() -> Iterator[tuple[str, Path]]:
    """A server of an empty folder; yields its URL, with the slash that begins a path, and the folder.

    Its folder is not one of pytest's, which only their owner may enter: the server never runs as root.
    """
    program = shutil.which("xrootd")
    if program is None:
        pytest.skip("there is no xrootd (Debian's package xrootd-server)")
    pytest.importorskip("fsspec_xrootd")
    with tempfile.TemporaryDirectory(prefix="xrootd-", dir="/tmp") as place, socket.socket() as free:
        folder = Path(place, "data")
        folder.mkdir()
        for path in (Path(place), folder):
            path.chmod(0o777)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        settings = Path(place, "server.cfg")
        settings.write_text(
            f"all.export /\noss.localroot {folder}\nxrd.port {port}\nall.adminpath {place}\nall.pidpath {place}\n"
        )
        as_user = ["-R", "nobody"] if os.getuid() == 0 else []
        server = subprocess.Popen([program, *as_user, "-c", settings, "-l", f"{place}/log"], cwd=place)
        try:
            _wait(server, port)
            yield f"root://127.0.0.1:{port}//", folder
        finally:
            server.terminate()
            server.wait()


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"xrootd does not answer (exit status {server.poll()})")
