"""Makes the samples of `hnl demo` that come with a wheel, of those in the folder above: `python make.py OUT`.

OUT is an output folder of the whole demo (`make demo`), which has its candidates.

Few enough for a wheel: four of the signals; of all samples, the branches that the search reads, and the events with a
candidate that has N(jets) = 1 in any variation of jet energies. So candidates of the signal selection, their weights
and the sums of weights are those of the whole demo; the cutflow begins later, and hardly any candidate has more jets.
"""

import sys
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import uproot
import yaml

from hnl import analysis, layout
from hnl.datasets import catalogue as catalogues
from hnl.datasets import files
from hnl.datasets.simulation.nanoaod_writer import ZSTD_LEVEL

FOLDER = Path(__file__).parent
DEMO = FOLDER.parent / "demo.yaml"
SIGNALS = ("hnl5_mu", "hnl10_mu", "hnl5_e", "hnl10_e")  # masses of Fig. 2, on either side of the two trainings


def catalogue() -> str:
    """The catalogue of the set."""
    content = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    content["datasets"] = [one for one in content["datasets"] if one["kind"] != "signal" or one["name"] in SIGNALS]
    text = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=160)
    return "# Made by make.py.\n" + text.replace("file: corrections/", "file: ../corrections/")


def write(source: Path, branches: list[str], chosen: np.ndarray, target: Path) -> None:
    """Some branches and events of a file, with its sums of weights."""
    with uproot.open(source) as root:
        events, runs = root["Events"].arrays(branches), root["Runs"].arrays(library="np")
    events = events[np.isin(ak.to_numpy(events.event), chosen)]
    content: dict[str, Any] = {}
    collections: dict[str, dict[str, ak.Array]] = {}
    for branch in branches:
        collection, _, field = branch.partition("_")
        if events[branch].ndim > 1:
            collections.setdefault(collection, {})[field] = events[branch]
        else:
            content[branch] = ak.to_numpy(events[branch])
    for collection, fields in collections.items():
        content.pop(f"n{collection}")  # written with the collection
        content[collection] = ak.to_packed(ak.zip(fields, depth_limit=2))
    types = {name: getattr(column, "dtype", None) or column.type.content for name, column in content.items()}
    with uproot.recreate(target, compression=uproot.ZSTD(ZSTD_LEVEL)) as file:
        tree = file.mktree("Events", types, title="Events")
        if len(events):
            tree.extend(content)
        file.mktree("Runs", {name: column.dtype for name, column in runs.items()}).extend(runs)


def main(out: Path) -> None:
    """Makes all files anew."""
    (FOLDER / "small.yaml").write_text(catalogue(), encoding="utf-8")
    small = catalogues.load(FOLDER / "small.yaml", files_needed=False)
    needs = analysis.of_catalogue(small).needs
    for dataset in small.datasets:
        source = DEMO.parent / Path(dataset.files[0]).name
        branches = files.inspect(str(source), dataset, small.era(dataset), needs=needs).branches
        chosen = [np.empty(0, np.uint64)]
        for part in (out / layout.CANDIDATES / dataset.name).glob("*.parquet"):
            rows = pq.read_table(part, columns=["event", "n_jets"])
            chosen.append(rows["event"].to_numpy()[rows["n_jets"].to_numpy() == 1])
        write(source, list(branches), np.concatenate(chosen), FOLDER / source.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
