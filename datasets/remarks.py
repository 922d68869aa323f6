"""What a user should know of the input before a run: sentences that `hnl datasets check` prints below its table.

Nothing here refuses anything; what cannot be used is an error where it is read.
"""

from collections.abc import Sequence
from pathlib import Path

from hnl.datasets import corrections, years
from hnl.datasets.catalogue import Catalogue, Dataset, Era
from hnl.datasets.files import FileInfo


def on_catalogue(catalogue: Catalogue) -> list[str]:
    """Remarks that need no file: what an era or a dataset lacks, and which later stage needs it."""
    said = [one for name, era in catalogue.eras.items() for one in _on_era(name, era)]
    if len(catalogue.energies) > 1:
        said.append(
            f"eras of {years.in_words(catalogue.energies)}: figures show both; every cross_section has to be that of "
            "the energy of its era"
        )
    if wanted := [file for dataset in catalogue.datasets for file in dataset.files if set(file) & set("*?[")]:
        said.append(f"patterns that no file matches yet: {len(wanted)}, e.g. {wanted[0]}")
    return said


def _on_era(name: str, era: Era) -> list[str]:
    said = []
    if era.luminosity_uncertainties is None and era.year in years.PRELIMINARY:
        said.append(f"era {name}: the default luminosity uncertainty of {era.year} is that of a preliminary result")
    needed: list[Path] = [*([era.golden_json] if era.golden_json else []), *corrections.files(era.corrections)]
    if missing := [str(file) for file in dict.fromkeys(needed) if not file.is_file()]:
        said.append(f"era {name}: not there yet: {', '.join(missing)}")
    return said


def on_files(dataset: Dataset, infos: Sequence[FileInfo]) -> list[str]:
    """Remarks on the usable files of one dataset."""
    return []
