"""Which inputs made which products: one JSON for each stage, and following it back from a product to the files.

OUT/provenance/STAGE.json lists the SHA-256 of all that a stage read and wrote, and what it was run with and when. Parts
of a selection have manifests of their own, which name the ROOT file, its UUID and the entries.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hnl import dependencies, layout, provenance
from hnl.errors import InputError
from hnl.stages import Stage

FORMAT = 1  # of STAGE.json; raised when its meaning changes


class LineageError(InputError):
    """Nobody knows what made this file."""


@dataclass
class AtWork:
    """What a stage that is at work reads and has made.

    Attributes:
        stage: at work.
        inputs: files read.
        kept: products of an earlier run of the stage that are still what it would make. A stage may add some.
        told: what a later run wants to know of the stage without running it again; for JSON.
    """

    stage: Stage
    inputs: list[Path]
    kept: list[Path] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)


@contextmanager
def stage(
    out: Path, made_by: Stage, more: Sequence[Path] = (), settings: Mapping[str, Any] | None = None
) -> Iterator[AtWork]:
    """Notes what a stage makes of what; written when it ends well.

    Args:
        out: output folder; products are the files written below it in the meantime by way of `provenance.write`.
        made_by: the stage, which says what it reads. A selection knows only later which search it is of: it changes
            `AtWork.stage`.
        more: files that it reads besides. Corrections and golden JSON are noted when they are read (`provenance.used`).
        settings: that decide what it makes; for JSON.
    """
    provenance.used.clear()
    started, before = provenance.now(), len(provenance.written)
    at_work = AtWork(made_by, [*made_by.inputs(out), *more])
    yield at_work
    products = [path for path in dict.fromkeys([*provenance.written[before:], *at_work.kept]) if path.is_file()]
    content = {
        "format": FORMAT,
        "stage": made_by.name,
        "started": started,
        "made by": provenance.record(),
        "code": dependencies.digest(at_work.stage.code),
        "settings": dict(settings or {}),
        "told": at_work.told,
        "inputs": _digests(out, [*at_work.inputs, *provenance.used]),
        "products": _digests(out, [path for path in products if layout.CANDIDATES not in _relative(out, path).parts]),
    }
    provenance.write_json(out / layout.PROVENANCE / f"{made_by.name}.json", content)


def stale(out: Path, made_by: Stage, more: Sequence[Path] = (), settings: Mapping[str, Any] | None = None) -> str:
    """Why a stage has to be run again, in a few words; '' if it would make what is there, to the bit.

    Args:
        out, made_by, more: see `stage`.
        settings: see `stage`; None for those of the last time.
    """
    try:
        note = json.loads((out / layout.PROVENANCE / f"{made_by.name}.json").read_text(encoding="utf-8"))
        code, inputs, products, known = note["code"], note["inputs"], note["products"], note["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        return "not run yet"
    if code != dependencies.digest(made_by.code):
        return "made by other code or libraries"
    if settings is not None and known != json.loads(json.dumps(settings)):
        return "made with other settings"
    now = _digests(out, [*made_by.inputs(out), *more])
    now |= _digests(out, [out / name for name in inputs if name not in now])  # absolute names stay what they are
    for name in dict.fromkeys([*inputs, *now]):
        if inputs.get(name) != now.get(name):
            return f"{name} has changed"
    there = _digests(out, [out / name for name in products])
    return next((f"{name} is gone or was changed" for name in products if there.get(name) != products[name]), "")


def told(out: Path, made_by: Stage) -> dict[str, Any]:
    """What a stage that is not `stale` told when it was run."""
    note = json.loads((out / layout.PROVENANCE / f"{made_by.name}.json").read_text(encoding="utf-8"))
    return dict(note["told"])


def _digests(out: Path, paths: Sequence[Path]) -> dict[str, str]:
    return {str(_relative(out, path)): provenance.file_digest(path) for path in paths if path.is_file()}


def _relative(out: Path, path: Path) -> Path:
    path, out = path.resolve(), out.resolve()
    return path.relative_to(out) if path.is_relative_to(out) else path


@dataclass(frozen=True)
class Product:
    """A file and what it was made of.

    Attributes:
        path: of the file.
        state: 'as it was made', 'changed since' or 'gone'.
        stage: that made it, '' for what no stage of hnl made.
        made_by: versions, command, time.
        inputs: what it was made of.
    """

    path: Path
    state: str
    stage: str = ""
    made_by: dict[str, str] = field(default_factory=dict)
    inputs: tuple["Product", ...] = ()


def product(path: Path) -> Product:
    """Where a product comes from, back to the files of the catalogue.

    Raises:
        LineageError: it is not below an output folder, or no stage has made it.
    """
    path = path.resolve()
    out = next((folder for folder in path.parents if (folder / layout.PROVENANCE).is_dir()), None)
    if not path.is_file() or out is None:
        reason = "no such file" if not path.is_file() else "it is not in an output folder of hnl"
        raise LineageError(f"{path}: {reason}")
    stages = _stages(out)
    if path.is_relative_to(out / layout.CANDIDATES):
        return _part(out, path, stages)
    found = _follow(out, str(path.relative_to(out)), None, stages)
    if not found.stage:
        raise LineageError(f"{path}: no stage has noted that it made this file")
    return found


def _stages(out: Path) -> dict[str, dict[str, Any]]:
    """What the stages noted, by name."""
    result = {}
    for file in sorted((out / layout.PROVENANCE).glob("*.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']}, this version knows {FORMAT}")
            result[str(content["stage"])] = content
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LineageError(f"{file} is broken: {error}") from error
    return result


def _follow(out: Path, name: str, digest: str | None, stages: dict[str, dict[str, Any]]) -> Product:
    """A product by its name in the notes; `digest` is what a later stage read."""
    path = out / name  # absolute names stay what they are
    now = provenance.file_digest(path) if path.is_file() else None
    makers = [one for one in stages.values() if name in one["products"]]  # a figure may be drawn again by hnl plot
    maker = next((one for one in makers if one["products"][name] == now), makers[0] if makers else None)
    made = maker["products"][name] if maker else digest
    state = "gone" if now is None else "as it was made" if now == made else "changed since"
    if digest not in (None, made):
        state = "made anew since it was read"
    if maker is None:
        return Product(path, state.replace("made", "read"))
    inputs = [_follow(out, one, read, stages) for one, read in maker["inputs"].items()]
    if path == out / layout.SELECTION:
        inputs += _sources(path)
    return Product(path, state, maker["stage"], maker["made by"] | {"started": maker["started"]}, tuple(inputs))


def _sources(selection: Path) -> list[Product]:
    """The files that a selection read."""
    try:
        files = json.loads(selection.read_text(encoding="utf-8"))["files"]
        return [
            Product(Path(file["path"]), f"dataset {dataset}, {file['events']} events, UUID {file['uuid']}")
            for dataset, group in files.items()
            for file in group
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LineageError(f"{selection} is broken: {error}") from error


def _part(out: Path, path: Path, stages: dict[str, dict[str, Any]]) -> Product:
    """A part of the candidates, by its manifest."""
    manifest_path = path.with_suffix(".json")
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        parquet = manifest_path.with_suffix(".parquet")
        state = "as it was made" if provenance.file_digest(parquet) == manifest["sha256"] else "changed since"
        entries = f"entries {manifest['start']} to {manifest['stop']}, UUID {manifest['uuid']}"
        source = Product(Path(manifest["file"]), entries)
        made_by = {key: str(manifest[key]) for key in ("dataset", "fingerprint", "checksum")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LineageError(f"{path}: its manifest {manifest_path.name} is missing or broken: {error}") from error
    selection = stages.get("select", {"made by": {}, "inputs": {}})
    inputs = [source, *(_follow(out, name, read, stages) for name, read in selection["inputs"].items())]
    return Product(path, state, "select", made_by | selection["made by"], tuple(inputs))
