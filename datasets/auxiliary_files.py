"""The files that a catalogue names beside those of events: golden JSON, corrections, the search of a user.

And how they go to workers.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from hnl.datasets import corrections
from hnl.datasets.catalogue import Catalogue


def auxiliary_files(catalogue: Catalogue) -> list[Path]:
    """Every one of them, once."""
    found = [catalogue.own_file] if catalogue.own_file else []
    for era in catalogue.eras.values():
        found += [era.golden_json] if era.golden_json else []
        found += corrections.files(era.corrections)
    return list(dict.fromkeys(found))


def portable(catalogue: Catalogue) -> tuple[Catalogue, dict[str, Path]]:
    """A catalogue for a worker that has not the same folders.

    Args:
        catalogue: with files that can be read here.

    Returns:
        The catalogue with bare names, which tell contents apart and suit every batch system; and for each name the file
        that must lie under it in the folder of the worker, see `placed`.
    """
    names = {
        path: f"{_digest(path)}-{re.sub(r'[^A-Za-z0-9_.+-]', '_', path.name)}" for path in auxiliary_files(catalogue)
    }
    return _moved(catalogue, lambda path: Path(names[path])), {name: path for path, name in names.items()}


def placed(catalogue: Catalogue, folder: Path) -> Catalogue:
    """The catalogue with its bare names in a folder; absolute paths stay what they are."""
    return _moved(catalogue, lambda path: folder / path)


def _moved(catalogue: Catalogue, move: Callable[[Path], Path]) -> Catalogue:
    eras = {
        name: era.model_copy(
            update={
                "golden_json": era.golden_json and move(era.golden_json),
                "corrections": corrections.moved(era.corrections, move),
            }
        )
        for name, era in catalogue.eras.items()
    }
    analysis = catalogue.analysis
    if catalogue.own_file:
        analysis = f"{move(catalogue.own_file)}:{analysis.rpartition(':')[2]}"
    return catalogue.model_copy(update={"eras": eras, "analysis": analysis})


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:16]
