"""What a user should know of the input before a run: sentences that `hnl datasets check` prints below its table.

Nothing here refuses anything; what cannot be used is an error where it is read.
"""

from collections.abc import Sequence

from hnl.datasets import nanoaod
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.files import FileInfo


def on_catalogue(catalogue: Catalogue) -> list[str]:
    """Remarks that need no file: what an era or a dataset lacks, and which later stage needs it."""
    return []


def on_files(dataset: Dataset, infos: Sequence[FileInfo]) -> list[str]:
    """Remarks on the usable files of one dataset."""
    return _on_decays(dataset, infos)


def _on_decays(dataset: Dataset, infos: Sequence[FileInfo]) -> list[str]:
    """On a signal without the true decay of N: see `corrections.lifetime.has_truth` and `corrections.reach`."""
    without = [info for info in infos if nanoaod.decay_vertices(info.branches) is None]
    if dataset.signal is None or not without:
        return []
    files = "its files have" if len(without) == len(infos) else f"{len(without)} of {len(infos)} files have"
    said = (
        f"dataset {dataset.name}: {files} no vertices of generated particles ({nanoaod.DECAY_VERTICES[0][0]}, ...): "
        f"the sample cannot be reweighted. Its limit is on the signal strength at the generated lifetime only (m_N = "
        f"{dataset.signal.mass:g} GeV, c tau = {dataset.signal.ctau:g} mm), not over |V|^2, and it is no neighbour of "
        "other masses"
    )
    known = all(name in info.branches for info in infos for name in nanoaod.GENERATED)
    return [said if known or dataset.signal.nature == "dirac" else f"{said}; without GenPart there is none for Dirac N"]
