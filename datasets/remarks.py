"""What a user should know of the input before a run: sentences that `hnl datasets check` prints below its table.

Nothing here refuses anything; what cannot be used is an error where it is read.
"""

from collections import Counter
from collections.abc import Sequence

from hnl.datasets import files, nanoaod
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.files import FileInfo


def on_catalogue(catalogue: Catalogue) -> list[str]:
    """Remarks that need no file: what an era or a dataset lacks, and which later stage needs it."""
    return []


def on_files(dataset: Dataset, infos: Sequence[FileInfo]) -> list[str]:
    """Remarks on the usable files of one dataset."""
    return _vertex_indices(dataset, infos)


def _vertex_indices(dataset: Dataset, infos: Sequence[FileInfo]) -> list[str]:
    """How often NanoAOD's svIdx is no row of the table of vertices."""
    total: Counter[str] = Counter()
    for info in infos:
        if info.sv_association == "svIdx":
            columns = files.columns(info, ("nSV", "Electron_svIdx", "Muon_svIdx"))
            total.update(nanoaod.sv_index_counts(*columns.values()))
    in_vertex, beyond = total["leptons with svIdx >= 0"], total["beyond the table"]
    if not beyond:
        return []
    return [
        f"dataset {dataset.name}: svIdx of {beyond} of {in_vertex} leptons is beyond the table of vertices: "
        "CMS software counts those with dlenSig < 3, too, but does not keep them; hnl finds the vertex by the track"
    ]
