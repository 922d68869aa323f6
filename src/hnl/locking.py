"""One run in an output folder at a time."""

import errno
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from hnl.errors import InputError
from hnl.provenance import OutputError

LOCK_FILE = ".lock"
_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")  # names of temporary files of `provenance.write`
_CANNOT_LOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


class LockedError(InputError):
    """Another run is at work in the output folder."""


@contextmanager
def held(out: Path, on_note: Callable[[str], None] = lambda note: None) -> Iterator[None]:
    """Locks the output folder for this process, and deletes temporary files of runs that were killed.

    The lock (flock) belongs to the process and ends with it, however it ends. It is valid on all machines if the file
    system supports that (NFS and Lustre, depending on how they are mounted), else on one machine.

    Args:
        out: output folder, made if needed; removed if it is still empty at the end.
        on_note: called with a sentence if the file system has no locks.

    Raises:
        LockedError: another process holds it.
        OutputError: the folder cannot be made or written.
    """
    path = out / LOCK_FILE
    new = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(path, out, on_note)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)
        if new:
            with suppress(OSError):  # the folder is not empty
                out.rmdir()


def holder(out: Path) -> str | None:
    """The process that holds the lock of the output folder, None if no process does. Changes nothing."""
    try:
        with (out / LOCK_FILE).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().strip() or "unknown"
    except OSError:
        pass
    return None


def _locked(path: Path, out: Path, on_note: Callable[[str], None]) -> int:
    """An open, locked file. It must still exist after locking, because a holder deletes its lock file at the end."""
    for patience in count():
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)  # not what a link points to
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = os.read(descriptor, 100).decode().strip()
            os.close(descriptor)
            if patience < 3:  # perhaps only `holder` is looking
                time.sleep(0.1)
                continue
            raise LockedError(f"another run is at work in {out} (process {process or 'unknown'})") from None
        except OSError as error:
            if error.errno not in _CANNOT_LOCK:
                os.close(descriptor)
                raise
            on_note(f"{out} is on a file system without locks: do not start two runs in it")
            return descriptor
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            _sweep(out)
            return descriptor
        os.close(descriptor)
    raise AssertionError


def _sweep(out: Path) -> None:
    """Deletes temporary files. No other process writes any while this process holds the lock.

    Jobs of a batch system do not hold the lock, so OUT/condor is not touched.
    """
    for folder, folders, names in os.walk(out):
        if Path(folder) == out and "condor" in folders:
            folders.remove("condor")
        for name in names:
            if _TEMPORARY.fullmatch(name):
                Path(folder, name).unlink(missing_ok=True)
