"""Where a product comes from, and writing it so that it is either whole or not there."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hnl import __version__
from hnl.errors import HNLError

# Everything that can change which events are selected and what their columns say.
SELECTION_CODE = (
    "hnl.corrections.counter",
    "hnl.corrections.jets",
    "hnl.corrections.library",
    "hnl.datasets.baskets",
    "hnl.datasets.branches",
    "hnl.datasets.files",
    "hnl.datasets.generator_weights",
    "hnl.datasets.nanoaod",
    "hnl.selections",
    "hnl.processors",
)
SELECTION_LIBRARIES = ("awkward", "coffea", "correctionlib", "numpy", "uproot", "vector")


class OutputError(HNLError):
    """The output cannot be written. Exit status 2: the user chose the place."""

    exit_status = 2


def write(path: Path, fill: Callable[[Path], None]) -> None:
    """Writes a file under a temporary name in the same folder, syncs it, and renames it.

    Args:
        path: the final name; its folder is made.
        fill: writes the content to the temporary path it is given.

    Raises:
        OutputError: nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fill(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None


def write_text(path: Path, text: str) -> None:
    """`write` for text."""
    write(path, lambda temporary: _fill_text(temporary, text))


def _fill_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """`write` for JSON. NaN is refused: no product has one without a mark."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def digest(content: Any) -> str:
    """SHA-256 of something that JSON can say, independent of the order of keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@cache
def selection_code_digest() -> str:
    """SHA-256 of the source and the libraries that the selection depends on."""
    return code_digest(SELECTION_CODE, SELECTION_LIBRARIES)


@cache
def code_digest(modules: tuple[str, ...], libraries: tuple[str, ...]) -> str:
    """SHA-256 of the source of modules and packages, and of the versions of libraries."""
    total = hashlib.sha256()
    for name in modules:
        module = import_module(name)
        sources = [Path(module.__file__)] if module.__file__ else []
        for folder in getattr(module, "__path__", ()):
            sources += sorted(Path(folder).rglob("*.py"))
        for source in sources:
            total.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    for library in libraries:
        total.update(f"{library} {version(library)}\n".encode())
    return total.hexdigest()


def record() -> dict[str, str]:
    """What made a product: command, versions, time."""
    return {
        "hnl": __version__,
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "python": platform.python_version(),
        **{library: version(library) for library in SELECTION_LIBRARIES},
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
