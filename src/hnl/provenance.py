"""Provenance of products, and writing them such that they are either complete or do not exist."""

import errno
import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from secrets import token_hex

from hnl import __version__, dependencies
from hnl.errors import HNLError

LIBRARIES = ("awkward", "coffea", "correctionlib", "numpy", "uproot", "vector")  # with versions in every record


ROOT = Path(__file__).resolve().parents[2]  # root of the checkout, if this is one
LOCK_FILE = "requirements.lock"

written: list[Path] = []  # files written by this process, in order
used: dict[Path, None] = {}  # golden JSON and corrections that this process has read, in order


class OutputError(HNLError):
    """The output cannot be written. Exit status 2, because the user chose the place."""

    exit_status = 2


def write(path: Path, fill: Callable[[Path], object]) -> None:
    """Writes a file under a temporary name in the same folder, syncs it, renames it, and syncs the folder.

    At any time, also after a crash of the machine, the file is either the old or the new one, complete.

    Args:
        path: the final name; its folder is made.
        fill: function that writes the content to a temporary path.

    Raises:
        OutputError: the file cannot be written; no temporary file is left.
    """
    # Nobody can know the name before, and put a link there.
    temporary = path.with_name(f".{path.name}.{token_hex(4)}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fill(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None
    written.append(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot sync folders
            raise
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> None:
    """`write` for bytes."""
    write(path, lambda temporary: temporary.write_bytes(content))


def write_text(path: Path, text: str) -> None:
    """`write` for text."""
    write(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: object) -> None:
    """`write` for JSON. NaN is refused: products have null with a mark instead."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def digest(content: object) -> str:
    """SHA-256 of a value in JSON, independent of the order of keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record() -> dict[str, str]:
    """Record of the origin of a product: command, versions, code, kind of machine (not its name), time."""
    from importlib.metadata import version  # late, for a command that ends in a message

    return {
        "hnl": __version__,
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "python": platform.python_version(),
        **{library: version(library) for library in LIBRARIES},
        **_surroundings(),
        "time": now(),
    }


def now() -> str:
    """The time, UTC, for display only: no decision depends on a clock."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def _surroundings() -> dict[str, str]:
    """Code, libraries and kind of machine, which do not change during a process."""
    from importlib.metadata import distributions

    installed = sorted({f"{package.name}=={package.version}" for package in distributions()})
    lock = ROOT / LOCK_FILE
    return {
        "code": dependencies.package_digest(),
        "git": _git_state(),
        "lock file": file_digest(lock) if lock.is_file() else "not in a checkout",
        "installed packages": digest(installed),
        "machine": f"{platform.system()} {platform.machine()} {'-'.join(platform.libc_ver())}",
    }


def _git_state() -> str:
    """The commit of the checkout of this code, and whether files differ from it."""
    if not (ROOT / ".git").exists():
        return "not in a checkout"

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=True).stdout

    try:
        return git("rev-parse", "HEAD").strip() + (" with changes" if git("status", "--porcelain").strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
