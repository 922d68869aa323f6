"""What a user should know of the input before a run: sentences that `hnl datasets check` prints below its table.

Nothing here refuses anything; what cannot be used is an error where it is read.
"""

from collections import Counter
from collections.abc import Sequence

from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.files import FileInfo


def on_catalogue(catalogue: Catalogue) -> list[str]:
    """Remarks that need no file: what an era or a dataset lacks, and which later stage needs it."""
    return without_golden_json(catalogue)


def without_golden_json(catalogue: Catalogue) -> list[str]:
    """Data of which every luminosity section is taken as certified."""
    names = [one.name for one in catalogue.datasets if one.is_data and catalogue.era(one).golden_json is None]
    return [f"data without golden JSON: every luminosity section of {', '.join(names)} is used"] if names else []


def on_files(dataset: Dataset, infos: Sequence[FileInfo]) -> list[str]:
    """Remarks on the usable files of one dataset."""
    return [f"{dataset.name}: {said}" for said in _trigger_bits(infos)]


def _trigger_bits(infos: Sequence[FileInfo]) -> list[str]:
    """Each meaning of the bits of trigger objects, with the number of files if there are several."""
    found = Counter(info.trigger_bits for info in infos if info.trigger_bits)
    said = []
    for bits, n in found.items():
        where = f", in {n} of {len(infos)} files" if len(found) > 1 else ""
        said.append(
            f"TrigObj_filterBits of triggering electrons are {bits.electron.words}, of muons {bits.muon.words}, from "
            f"{bits.source}{where}"
        )
    return said
