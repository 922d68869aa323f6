"""Reading files over the network: byte ranges with a timeout, repeated attempts, and several servers.

Works for every protocol of fsspec; http(s) and root (extra `xrootd`) are set up and their errors understood.
"""

import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from queue import Queue
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import fsspec
from uproot.source.chunk import Chunk, Source
from uproot.source.coalesce import coalesce_requests
from uproot.source.futures import TrivialFuture

from hnl.datasets.settings import Remote
from hnl.errors import InputError

REDIRECTORS_VARIABLE = "HNL_REDIRECTORS"

T = TypeVar("T")


class RemoteFileError(InputError):
    """An unusable file on a server."""


class AccessDeniedError(RemoteFileError):
    """A server denies access. Asking again would not help."""


class AbsentError(RemoteFileError):
    """No server has the file."""


class UnreachableError(RemoteFileError):
    """No server gave a valid answer in the allowed number of attempts. A later attempt may succeed."""


class Verdict(Enum):
    """The meaning of a server's error."""

    DENIED = "denied"
    ABSENT = "absent"
    TEMPORARY = "temporary"


# XRootD's error numbers (XProtocol.hh), and words of its client for errors without a number.
_XROOTD_DENIED = re.compile(r"\[(3010|3028|3030)\]|auth\w* failed|permission denied|not authorized|unauthorized", re.I)
_XROOTD_ABSENT = re.compile(r"\[(3011|3015|3016)\]|no such file", re.I)
_NO_SERVER_NOW = re.compile(r"no servers are available", re.I)  # [3011] of a redirector whose servers are down
_HTTP_DENIED, _HTTP_ABSENT = (401, 403, 407), (404, 410)


def verdict(error: BaseException) -> Verdict:
    """The meaning of an error. Errors that are not known to be permanent count as temporary."""
    chain = list(_causes(error))
    status = next((e.status for e in chain if isinstance(e, aiohttp.ClientResponseError)), None)
    if status is not None:
        denied, absent = status in _HTTP_DENIED, status in _HTTP_ABSENT
        return Verdict.DENIED if denied else Verdict.ABSENT if absent else Verdict.TEMPORARY
    text = str(error)
    certificate = any(isinstance(e, aiohttp.ClientConnectorCertificateError) for e in chain)
    if certificate or isinstance(error, PermissionError) or _XROOTD_DENIED.search(text):
        return Verdict.DENIED
    if _NO_SERVER_NOW.search(text):
        return Verdict.TEMPORARY
    if isinstance(error, FileNotFoundError) and not any(isinstance(e, aiohttp.ClientError) for e in chain[1:]):
        return Verdict.ABSENT
    return Verdict.ABSENT if _XROOTD_ABSENT.search(text) else Verdict.TEMPORARY


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def is_remote(path: str) -> bool:
    """Whether a path of the catalogue is a URL."""
    return "://" in path


def places(path: str, remote: Remote) -> list[str]:
    """URLs at which a file is looked for, in order: its own, then the same path at each redirector."""
    given = os.environ.get(REDIRECTORS_VARIABLE)
    redirectors = [name.strip() for name in given.split(",") if name.strip()] if given else remote.redirectors
    parts = urlsplit(path)
    behind = path[len(f"{parts.scheme}://{parts.netloc}") :]
    others = [server.rstrip("/") + behind for server in redirectors if server.startswith(f"{parts.scheme}://")]
    return list(dict.fromkeys([path, *others]))


def ask(path: str, urls: list[str], remote: Remote, request: Callable[[str], T]) -> T:
    """The first good answer of the servers to a request.

    Args:
        path: as the catalogue names the file, for messages.
        urls: servers to ask, in order; that of the answer is put first.
        remote: settings: number of attempts, and the pauses between them.
        request: function of a URL.

    Raises:
        AccessDeniedError: a server denies access; raised at once.
        AbsentError: no server has the file.
        UnreachableError: the last attempt failed; the message has the last error of each server.
    """
    said: dict[str, str] = {}
    for attempt in range(remote.attempts):
        if attempt:
            time.sleep(remote.wait * 2 ** (attempt - 1) * random.uniform(0.75, 1.25))  # jobs must not ask all at once
        absent = 0
        for url in list(urls):
            try:
                answer = request(url)
            except InputError:
                raise
            except Exception as error:
                meaning, server = verdict(error), urlsplit(url).netloc
                said[server] = _told(error)
                if meaning is Verdict.DENIED:
                    raise AccessDeniedError(f"{path}: {server} denies access: {said[server]}") from error
                absent += meaning is Verdict.ABSENT
            else:
                urls.remove(url)
                urls.insert(0, url)
                return answer
        if absent == len(urls):
            raise AbsentError(f"{path}: no such file: {_listed(said)}")
    raise UnreachableError(f"{path}: not readable after {remote.attempts} attempts: {_listed(said)}")


def _told(error: BaseException) -> str:
    """The text of an error. fsspec turns most errors of HTTP into a FileNotFoundError without a text."""
    telling = next((e for e in _causes(error) if isinstance(e, aiohttp.ClientError)), error)
    return " ".join(str(telling).split())[:200] or type(telling).__name__


def _listed(said: dict[str, str]) -> str:
    return "; ".join(f"{server}: {text}" for server, text in said.items())


def signature(path: str, remote: Remote) -> str:
    """Size and, if the server tells it, time or tag of the last change: different files have different signatures."""

    def request(url: str) -> str:
        server, name = system(url, remote)
        info = server.info(name)
        return " ".join(str(info.get(key)) for key in ("size", "mtime", "ETag", "Last-Modified") if info.get(key))

    return ask(path, places(path, remote), remote, request)


class RemoteSource(Source):  # type: ignore[misc]
    """Source through which uproot reads a remote file.

    Args:
        file_path: URL.
        remote: settings of reading.
        **options: options of uproot, not used.
    """

    def __init__(self, file_path: str, *, remote: Remote, **options: Any) -> None:
        super().__init__()
        self._file_path, self._remote, self._closed = file_path, remote, False
        self._urls = places(file_path, remote)
        self._size = ask(file_path, self._urls, remote, self._size_at)

    def _size_at(self, url: str) -> int:
        server, name = system(url, self._remote)
        size = server.size(name)
        if size is None:
            raise OSError("the server does not tell the size of the file")
        return int(size)

    def _fill(self, url: str, have: dict[tuple[int, int], bytes], ranges: list[tuple[int, int]]) -> None:
        """Adds the missing ranges to `have`. Ranges that arrive are kept, also if others fail."""
        server, name = system(url, self._remote)
        if url != self._urls[0] and (size := self._size_at(url)) != self._size:
            raise OSError(f"its file has {size} bytes, that of the first server {self._size}")
        missing = [span for span in ranges if span not in have]
        starts, stops = map(list, zip(*missing, strict=True))
        try:
            contents = server.cat_ranges([name] * len(missing), starts, stops, on_error="return")
        except Exception as error:
            contents = [error] * len(missing)
        problem: Exception | None = None
        for (start, stop), content in zip(missing, contents, strict=True):
            if isinstance(content, Exception):
                problem = problem or content
            elif len(content) != stop - start:
                problem = problem or OSError(f"{len(content)} bytes came for the range {start} to {stop}")
            else:
                have[start, stop] = content
        if problem:
            with suppress(Exception):
                server.invalidate_cache(name)  # XRootD: a handle that does not work any more
            raise problem

    def _fetch(self, ranges: list[tuple[int, int]]) -> TrivialFuture:
        if (last := max(stop for _, stop in ranges)) > self._size:
            raise RemoteFileError(f"{self._file_path}: truncated: byte {last} is needed, it has {self._size}")
        self._num_requests += 1
        self._num_requested_chunks += len(ranges)
        self._num_requested_bytes += sum(stop - start for start, stop in ranges)
        have: dict[tuple[int, int], bytes] = {}
        ask(self._file_path, self._urls, self._remote, lambda url: self._fill(url, have, ranges))
        return TrivialFuture([have[span] for span in ranges])

    def chunk(self, start: int, stop: int) -> Chunk:
        """One range of bytes."""
        return Chunk(self, start, stop, TrivialFuture(self._fetch([(start, stop)]).result()[0]))

    def chunks(self, ranges: list[tuple[int, int]], notifications: Queue) -> list[Chunk]:
        """Several ranges of bytes; close ranges share a request."""
        chunks: list[Chunk] = coalesce_requests(ranges, self._fetch, self, notifications)
        return chunks

    @property
    def num_bytes(self) -> int:
        """Size of the file."""
        return self._size

    @property
    def closed(self) -> bool:
        """Whether the source was closed."""
        return self._closed

    def __enter__(self) -> "RemoteSource":
        return self

    def __exit__(self, *exception: object) -> None:
        self._closed = True


def system(url: str, remote: Remote) -> tuple[fsspec.AbstractFileSystem, str]:
    """fsspec's file system of a URL, and the path in it. There is one file system per server and process."""
    protocol = urlsplit(url).scheme
    options: dict[str, Any] = {}
    if protocol in ("http", "https"):
        options["client_kwargs"] = {"timeout": aiohttp.ClientTimeout(total=remote.timeout)}
    try:
        if protocol == "root":
            from XRootD import client

            # The client's own timeouts are half an hour. XRD_* in the environment still takes precedence.
            for name in ("ConnectionWindow", "RequestTimeout", "StreamErrorWindow"):
                client.EnvPutInt(name, remote.timeout)
            options["timeout"] = remote.timeout
        file_system, path = fsspec.core.url_to_fs(url, **options)
    except (ImportError, ValueError) as error:
        extra = " (extra 'xrootd')" if protocol == "root" else ""
        raise RemoteFileError(f"{url}: cannot be read here{extra}: {error}") from error
    return file_system, path
