"""Remarks on the input for the user: sentences that `hnl datasets check` prints below its table.

Nothing is refused here. Unusable input is an error when it is read.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hnl import layout
from hnl.datasets import corrections, files, nanoaod, years
from hnl.datasets.catalogue import Catalogue, Dataset, Era
from hnl.datasets.files import FileInfo
from hnl.datasets.settings import Remote
from hnl.datasets.trigger_bits import TriggerBits


def on_catalogue(catalogue: Catalogue) -> list[str]:
    """Remarks that need no file: missing parts of eras and datasets, and the stages that need them."""
    said = [remark for name, era in catalogue.eras.items() for remark in _on_era(name, era)]
    said += without_golden_json(catalogue)
    if len(catalogue.energies) > 1:
        said.append(
            f"eras of {years.in_words(catalogue.energies)}: figures show both; every cross_section has to be that of "
            "the energy of its era"
        )
    if unmatched := [file for dataset in catalogue.datasets for file in dataset.files if set(file) & set("*?[")]:
        said.append(f"patterns that no file matches yet: {len(unmatched)}, e.g. {unmatched[0]}")
    missing = [d.name for d in catalogue.datasets if d.candidates and not (d.candidates / layout.SELECTION).is_file()]
    said += [f"candidates that are not there yet: {', '.join(missing)}"] if missing else []
    said += [f"weight {own.name}: not there yet: {own.file}" for own in catalogue.weights if not own.file.is_file()]
    return said


def without_golden_json(catalogue: Catalogue) -> list[str]:
    """A remark on data without a golden JSON, of which every luminosity section counts as certified."""
    names = [
        dataset.name for dataset in catalogue.datasets if dataset.is_data and catalogue.era(dataset).golden_json is None
    ]
    return [f"data without golden JSON, every luminosity section is used: {', '.join(names)}"] if names else []


def _on_era(name: str, era: Era) -> list[str]:
    said = []
    if era.luminosity_uncertainties is None and era.year in years.PRELIMINARY:
        said.append(f"era {name}: the default luminosity uncertainty of {era.year} is that of a preliminary result")
    needed: list[Path] = [*([era.golden_json] if era.golden_json else []), *corrections.files(era.corrections)]
    if missing := [str(file) for file in dict.fromkeys(needed) if not file.is_file()]:
        said.append(f"era {name}: not there yet: {', '.join(missing)}")
    return said


def on_triggers(inspected: Sequence[tuple[Dataset, FileInfo]]) -> list[str]:
    """Each meaning of the bits of trigger objects in usable files; if there are several, with the names of datasets."""
    names: dict[TriggerBits, dict[str, None]] = {}
    for dataset, info in inspected:
        if info.trigger_bits:
            names.setdefault(info.trigger_bits, {})[dataset.name] = None
    said = []
    for bits, where in names.items():
        which = f" (in {', '.join(where)})" if len(names) > 1 else ""
        said.append(
            f"electrons that fired have TrigObj_filterBits {bits.electron.words}, muons {bits.muon.words}, by "
            f"{bits.source}{which}"
        )
    return said


def on_files(dataset: Dataset, infos: Sequence[FileInfo], remote: Remote = Remote()) -> list[str]:  # noqa: B008 (frozen)
    """Remarks on the usable files of a dataset; `remote` has the settings of reading URLs."""
    return _on_decays(dataset, infos) + _vertex_indices(dataset, infos, remote)


def _on_decays(dataset: Dataset, infos: Sequence[FileInfo]) -> list[str]:
    """A remark on a signal without the true decay of N, see `corrections.lifetime.has_truth` and
    `corrections.reach`."""
    without = [info for info in infos if nanoaod.decay_vertices(info.branches) is None]
    if dataset.signal is None or not without:
        return []
    which = "its files have" if len(without) == len(infos) else f"{len(without)} of {len(infos)} files have"
    said = (
        f"dataset {dataset.name}: {which} no vertices of generated particles ({nanoaod.DECAY_VERTICES[0][0]}, ...): "
        f"the sample cannot be reweighted. Its limit is on the signal strength at the generated lifetime only (m_N = "
        f"{dataset.signal.mass:g} GeV, c tau = {dataset.signal.ctau:g} mm), not over |V|^2, and it is no neighbour of "
        "other masses"
    )
    known = all(name in info.branches for info in infos for name in nanoaod.GENERATED)
    return [said if known or dataset.signal.nature == "dirac" else f"{said}; without GenPart there is none for Dirac N"]


def _vertex_indices(dataset: Dataset, infos: Sequence[FileInfo], remote: Remote) -> list[str]:
    """A remark on the number of leptons whose svIdx in NanoAOD is not a row of the table of vertices."""
    total: Counter[str] = Counter()
    for info in infos:
        if info.sv_association == "svIdx" and "nSV" in info.branches:
            columns = files.columns(info, ("nSV", "Electron_svIdx", "Muon_svIdx"), remote)
            total.update(nanoaod.sv_index_counts(*columns.values()))
    in_vertex, beyond = total["leptons with svIdx >= 0"], total["beyond the table"]
    if not beyond:
        return []
    return [
        f"dataset {dataset.name}: svIdx of {beyond} of {in_vertex} leptons is beyond the table of vertices: "
        "CMS software counts those with dlenSig < 3, too, but does not keep them; hnl finds the vertex by the track"
    ]
