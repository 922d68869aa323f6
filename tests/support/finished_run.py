"""An output folder with a finished stage `abcd`: pseudo-data, simulated background, and HNLs of 4 and 8 GeV."""

from pathlib import Path
from typing import Any

import numpy as np
import scored
import synthetic

from hnl import layout, records
from hnl.datasets.catalogue import Dataset
from hnl.datasets.own_weights import OwnWeight
from hnl.ml import scoring
from hnl.processors.rows import Candidates
from hnl.processors.selection_files import WeightsFile
from hnl.selections.displaced.categories import CATEGORIES
from hnl.stages import abcd
from hnl.stages.run import Run

CTAU = 10.0  # mm, of the samples
COUPLINGS = {"mu": {"v2_e": 0.0, "v2_mu": 1e-6}, "mixed": {"v2_e": 1e-6, "v2_mu": 1e-6}}
FLAVOURS = {"mu": ("mumu",), "mixed": ("mumu", "ee", "emu", "mue")}


def signal(seed: int, n: int = 900, coupling: str = "mu", *, reseeds: int = 1) -> tuple[Candidates, Any]:
    """Decays after exponentially distributed proper lengths, half of them with lepton number violated."""
    rng = np.random.default_rng(seed)
    table, score = scored.random(rng, n, signal=True)
    table["gen_ctau"] = rng.exponential(CTAU, n).astype("float32")
    table["gen_same_sign"] = rng.integers(0, 2, n).astype("float32")
    table["delta_2d"] = (0.3 * table["gen_ctau"]).astype("float32")  # a boost of three
    flavour = rng.choice([2 * i for i, c in enumerate(CATEGORIES[::2]) if c.split("_")[0] in FLAVOURS[coupling]], n)
    table["category"] = (flavour + table["gen_same_sign"]).astype("int8")
    table["generator_event"] = (np.arange(n) // reseeds).astype("uint64")
    return table, score


def entries() -> list[tuple[Dataset, Candidates, Any]]:
    """Datasets with candidates and scores."""
    made: list[tuple[Dataset, Candidates, Any]] = [
        (synthetic.signal("hnl4_mu", 4, v2_e=0.0, v2_mu=4e-5), *signal(1)),
        (synthetic.signal("hnl8_mu", 8, **COUPLINGS["mu"]), *signal(2, reseeds=3)),
        (synthetic.signal("hnl8_mixed", 8, **COUPLINGS["mixed"]), *signal(3, coupling="mixed")),
    ]
    rng = np.random.default_rng(4)
    made.append((synthetic.background("wjets", "wjets", cross_section=1.0), *scored.random(rng, 3000)))
    made.append((synthetic.data(), *scored.random(rng, 900)))
    return made


def write(
    folder: Path,
    made: list[tuple[Dataset, Candidates, Any]],
    *,
    unblind: bool = False,
    weights: tuple[OwnWeight, ...] = (),
    **years: Any,
) -> Path:
    """Selection, scores and the stage `abcd`."""
    synthetic.write(folder, [(entry, table) for entry, table, _ in made], **years)
    if weights:
        records.write(folder / layout.WEIGHTS, WeightsFile(WeightsFile.FORMAT, weights))
    for entry, table, score in made:
        columns = {name: np.asarray(score, dtype=np.float32) for name in scoring.COLUMNS}
        scoring.write(folder, entry.name, table, columns, {"models": {}, "own_models": False})
    abcd.run(Run(folder), unblind=unblind)
    return folder
