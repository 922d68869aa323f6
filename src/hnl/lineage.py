"""Lineage of products: one JSON per stage, from which a product is traced back to its files.

OUT/provenance/STAGE.json lists the SHA-256 of all files that a stage read and wrote, its settings and its time. Of the
settings of the search, which the catalogue changes, it has those that the stage depends on: other stages are not stale
when they change. Parts of a selection have their own manifests, with the ROOT file, its UUID and the entries.
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

PARTS = (layout.CANDIDATES, layout.VARIED_CANDIDATES, layout.MANIFESTS)  # folders of what manifests vouch for
FORMAT = 1  # version of STAGE.json; increased when its meaning changes


class LineageError(InputError):
    """The origin of a file is unknown."""


@dataclass
class AtWork:
    """Files of a running stage.

    Attributes:
        stage: at work.
        inputs: files read.
        kept: products of an earlier run that the stage would make again unchanged. A stage may add to them.
        told: facts about the stage for later runs that do not repeat it; for JSON.
    """

    stage: Stage
    inputs: list[Path]
    kept: list[Path] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)


@contextmanager
def stage(
    out: Path, made_by: Stage, more: Sequence[Path] = (), settings: Mapping[str, object] | None = None
) -> Iterator[AtWork]:
    """Records the inputs and products of a stage; written when it succeeds.

    Args:
        out: output folder; products are the files that `provenance.write` writes below it during the stage.
        made_by: the stage, which has the list of its inputs. A selection knows only later which search it is of: it
            changes `AtWork.stage`.
        more: further inputs. Corrections and golden JSON are recorded when they are read (`provenance.used`), also
            just before the stage: a selection is loaded before it is known which search the stage is of.
        settings: settings that decide the products; for JSON.
    """
    started, before = provenance.now(), len(provenance.written)
    at_work = AtWork(made_by, [*made_by.inputs(out), *more])
    try:
        yield at_work
        products = [path for path in dict.fromkeys([*provenance.written[before:], *at_work.kept]) if path.is_file()]
        content = {
            "format": FORMAT,
            "stage": made_by.name,
            "started": started,
            "made by": provenance.record(),
            "code": dependencies.digest(at_work.stage.code),
            "settings": dict(settings or {}),
            "settings of the search": settings_of_search(out, at_work.stage),
            "told": at_work.told,
            "inputs": _digests(out, [*at_work.inputs, *provenance.used]),
            "products": _digests(
                out, [path for path in products if layout.CANDIDATES not in _relative(out, path).parts]
            ),
        }
        provenance.write_json(out / layout.PROVENANCE / f"{made_by.name}.json", content)
    finally:
        provenance.used.clear()


def stale(out: Path, made_by: Stage, more: Sequence[Path] = (), settings: Mapping[str, object] | None = None) -> str:
    """The reason why a stage has to be run again, in a few words; '' if its products would be the same to the bit.

    Args:
        out, made_by, more: see `stage`.
        settings: see `stage`; None for those of the last run.
    """
    try:
        note = _record(out, made_by)
        code, inputs, products, recorded_settings = note["code"], note["inputs"], note["products"], note["settings"]
        of_search = note.get("settings of the search", {})
    except KeyError:
        return "not run yet"
    if code != dependencies.digest(made_by.code):
        return "made by other code or libraries"
    if settings is not None and recorded_settings != json.loads(json.dumps(settings)):
        return "made with other settings"
    if different := _different(of_search, settings_of_search(out, made_by)):
        return f"made with other settings: {different}"
    now = _digests(out, [*made_by.inputs(out), *more])
    now |= _digests(out, [out / name for name in inputs if name not in now])  # absolute names do not change
    for name in dict.fromkeys([*inputs, *now]):
        if inputs.get(name) != now.get(name):
            return f"{name} has changed"
    present = _digests(out, [out / name for name in products])
    return next((f"{name} is gone or was changed" for name in products if present.get(name) != products[name]), "")


def settings_of_search(out: Path, made_by: Stage) -> dict[str, Any]:
    """What the catalogue changes of the settings of the search that a stage depends on."""
    from hnl.processors import selection_files  # here: its imports take as long as a short command

    changed = selection_files.settings(out)
    return {name: changed[name] for name in changed if made_by.depends_on(name)}


def _different(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The names of the parts that are not the same, '' if there are none."""
    return ", ".join(name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name))


def told(out: Path, made_by: Stage) -> dict[str, Any]:
    """The facts that a stage recorded in its last run (`AtWork.told`); none without such a run."""
    return dict(_record(out, made_by).get("told", {}))


def time_of(out: Path, made_by: Stage) -> str:
    """When a stage was run the last time; '' if it was not."""
    return str(_record(out, made_by).get("started", ""))


def _record(out: Path, made_by: Stage) -> dict[str, Any]:
    """What a stage noted of its last run; nothing if it was not run, or the note is broken."""
    try:
        return dict(json.loads((out / layout.PROVENANCE / f"{made_by.name}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _digests(out: Path, paths: Sequence[Path]) -> dict[str, str]:
    return {str(_relative(out, path)): provenance.file_digest(path) for path in paths if path.is_file()}


def _relative(out: Path, path: Path) -> Path:
    path, out = path.resolve(), out.resolve()
    return path.relative_to(out) if path.is_relative_to(out) else path


@dataclass(frozen=True)
class Product:
    """A file and its inputs.

    Attributes:
        path: path of the file.
        state: 'as it was made', 'changed since' or 'gone'.
        stage: stage that made it, '' for files that no stage of hnl made.
        made_by: versions, command, time.
        inputs: files from which it was made.
    """

    path: Path
    state: str
    stage: str = ""
    made_by: dict[str, str] = field(default_factory=dict)
    inputs: tuple["Product", ...] = ()


def product(path: Path) -> Product:
    """The lineage of a product, back to the files of the catalogue.

    Raises:
        LineageError: the file is not below an output folder, or no stage has made it.
    """
    path = path.resolve()
    out = next((folder for folder in path.parents if (folder / layout.PROVENANCE).is_dir()), None)
    if not path.is_file() or out is None:
        reason = "no such file" if not path.is_file() else "it is not in an output folder of hnl"
        raise LineageError(f"{path}: {reason}")
    stages = _stages(out)
    if any(path.is_relative_to(out / place) for place in PARTS):
        return _part(out, path, stages)
    result = _follow(out, str(path.relative_to(out)), None, stages)
    if not result.stage:
        raise LineageError(f"{path}: no stage has noted that it made this file")
    return result


def _stages(out: Path) -> dict[str, dict[str, Any]]:
    """Records of the stages, by name."""
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
    """A product by its name in the records; `digest` is its fingerprint when a later stage read it."""
    path = out / name  # absolute names do not change
    now = provenance.file_digest(path) if path.is_file() else None
    makers = [record for record in stages.values() if name in record["products"]]  # hnl plot may draw a figure again
    maker = next((record for record in makers if record["products"][name] == now), makers[0] if makers else None)
    recorded = maker["products"][name] if maker else digest
    state = "gone" if now is None else "as it was made" if now == recorded else "changed since"
    if digest not in (None, recorded):
        state = "made anew since it was read"
    if maker is None:
        return Product(path, state.replace("made", "read"))
    inputs = [_follow(out, source, read, stages) for source, read in maker["inputs"].items()]
    if path == out / layout.SELECTION:
        inputs += _sources(path)
    changed = maker.get("settings of the search")
    made_by = maker["made by"] | ({"settings": json.dumps(changed)} if changed else {})
    return Product(path, state, maker["stage"], made_by | {"started": maker["started"]}, tuple(inputs))


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
    place = next(place for place in PARTS if path.is_relative_to(out / place))
    unit = path.relative_to(out / place)
    manifest_path = (out / layout.MANIFESTS / unit).with_suffix(".json")
    varied = place == layout.VARIED_CANDIDATES
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        parquet = (out / (place if varied else layout.CANDIDATES) / unit).with_suffix(".parquet")
        written = manifest["varied_sha256" if varied else "sha256"]
        state = "as it was made" if provenance.file_digest(parquet) == written else "changed since"
        entries = f"entries {manifest['start']} to {manifest['stop']}, UUID {manifest['uuid']}"
        source = Product(Path(manifest["file"]), entries)
        made_by = {key: str(manifest[key]) for key in ("dataset", "fingerprint", "checksum")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LineageError(f"{path}: its manifest {manifest_path.name} is missing or broken: {error}") from error
    selection = stages.get("select", {"made by": {}, "inputs": {}})
    inputs = [source, *(_follow(out, name, read, stages) for name, read in selection["inputs"].items())]
    return Product(path, state, "select", made_by | selection["made by"], tuple(inputs))
