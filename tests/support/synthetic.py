"""Made-up candidates with the real schema, in the shape of signal and background, and output folders full of them."""

from pathlib import Path
from typing import Any

import jet_corrections
import numpy as np

from hnl import layout, records
from hnl.datasets.catalogue import Catalogue, Dataset, Era, Signal, Triggers
from hnl.datasets.files import FileInfo, WorkUnit
from hnl.ml.settings import Settings
from hnl.processors import parts, selection_files, units
from hnl.processors.displaced import columns
from hnl.processors.rows import Candidates, ordered, passing
from hnl.processors.selection_files import SelectionFile
from hnl.selections.displaced.categories import CATEGORIES

QUICK = Settings(max_rounds=25, patience=5)
TRIGGERS = Triggers(electron=("HLT_Ele32_WPTight_Gsf",), muon=("HLT_IsoMu24",))


def candidates(
    n: int, *, mass: float | None = None, seed: int = 0, reseeds: int = 1, negative: float = 0.0, particles: bool = True
) -> Candidates:
    """n candidates: of an HNL of this mass (GeV), or of background. m(l1,SV) is independent of all features.

    Args:
        n: number of candidates.
        mass: m_N; None for background.
        seed: of the random numbers.
        reseeds: candidates of one generator event, which look alike.
        negative: share of negative weights.
        particles: whether the files have PFCands.
    """
    rng = np.random.default_rng([seed, n, 0 if mass is None else round(10 * mass)])
    generated = rng.permutation(4 * n)[: -(-n // reseeds)].astype(np.uint64)
    generated, copy = np.repeat(generated, reseeds)[:n], np.arange(n, dtype=np.uint64) % np.uint64(reseeds)

    def draw(per_event: Any) -> np.ndarray:
        """A smeared copy for each reseed of a number for each generator event."""
        base = np.repeat(per_event(-(-n // reseeds)), reseeds)[:n]
        return base * rng.normal(1, 0.02, n)

    signal = mass is not None
    c: Candidates = {c.name: np.full(n, np.nan) for c in columns.COLUMNS if c.dtype.startswith("float")}
    flight = draw(lambda k: rng.exponential(6.0 if signal and mass < 6 else 2.0 if signal else 1.0, k)) + 0.05
    m_sv = (
        draw(lambda k: np.clip(rng.normal(0.55 * mass, 0.15 * mass, k), 0.2, None))
        if mass
        else draw(lambda k: rng.gamma(2.0, 0.9, k))
    )
    l2_pt = draw(lambda k: 5 + rng.exponential(14 if signal else 9, k))
    jet_pt = l2_pt * (1 + np.abs(draw(lambda k: rng.exponential(0.5 if signal else 1.2, k))))
    eta = draw(lambda k: rng.uniform(-2.2, 2.2, k))
    phi = rng.uniform(-np.pi, np.pi, n)
    error_2d = 0.02 + 0.02 * flight
    dxy = flight * draw(lambda k: rng.uniform(0.05, 0.4, k)) * rng.choice([-1, 1], n) + 0.02
    c |= {
        "passes": np.ones(n),
        "run": np.ones(n),
        "luminosity_block": generated // 1000 + 1,
        "event": 16 * generated + copy,
        "generator_event": generated,
        "gen_weight": np.where(rng.uniform(size=n) < negative, -1.0, 1.0),
        "n_true_interactions": rng.poisson(30, n),
        "category": rng.integers(0, len(CATEGORIES), n),
        "n_jets": 1 + rng.poisson(0.3 if signal else 0.8, n),
        "m_l1_l2": rng.uniform(10, 150, n),
        "delta_phi_l1_l2": rng.uniform(-np.pi, np.pi, n),
        "m_l1_sv": rng.normal(65, 12, n) if signal else rng.gamma(4, 20, n),
        "l1_charge": rng.choice([-1, 1], n),
        "l2_charge": rng.choice([-1, 1], n),
        "l1_gen_flavour": np.ones(n),
        "l2_gen_flavour": np.ones(n),
        "jet_hadron_flavour": np.zeros(n),
        "jet_index": np.zeros(n),
        "l2_pt": l2_pt,
        "l2_eta": eta,
        "l2_phi": phi,
        "l2_dxy": dxy,
        "l2_dxy_err": 0.002 + 0.01 * flight,
        "l2_dz": dxy * rng.normal(0, 1, n),
        "l2_dz_err": 0.01 + 0.01 * flight,
        "l2_d_xyz": np.abs(dxy) * 1.1,
        "l2_d_xyz_sig": np.abs(dxy) / (0.003 + 0.01 * flight),
        "l2_rel_iso": draw(lambda k: rng.exponential(0.6 if signal else 1.5, k)),
        "jet_pt": jet_pt,
        "jet_eta": eta + rng.normal(0, 0.1, n),
        "jet_phi": phi,
        "jet_mass": 0.12 * jet_pt,
        "jet_n_constituents": 4 + rng.poisson(5 if signal else 9, n),
        "delta_r_l2_jet": np.abs(rng.normal(0, 0.1, n)),
        "pt_rel_l2_jet": np.abs(rng.normal(0, 1.0, n)),
        "pt_ratio_l2_jet": l2_pt / jet_pt,
        "sv_pt": l2_pt * 1.3,
        "sv_eta": eta,
        "sv_phi": phi,
        "m_sv": m_sv,
        "sv_n_tracks": 2 + rng.poisson(1.5 if signal else 0.6, n),
        "sv_chi2_ndof": rng.chisquare(3, n) / 3,
        "sv_ndof": rng.integers(1, 8, n),
        "sv_p_angle": np.abs(rng.normal(0, 0.03 if signal else 0.12, n)),
        "delta_2d": flight,
        "delta_2d_sig": flight / error_2d,
        "delta_3d": 1.3 * flight,
        "delta_3d_sig": flight / error_2d,
    }
    muon = np.isin(c["category"] // 2, (1, 2))
    c["l2_lost_hits"] = np.where(muon, np.nan, rng.poisson(1.0, n))
    c["l2_tracker_layers"] = np.where(muon, rng.integers(6, 16, n), np.nan)
    if particles:
        c |= {
            "l2_pixel_hits": np.where(rng.uniform(size=n) < 0.1, np.nan, rng.integers(0, 5, n)),
            "jet_n_displaced": 1 + rng.poisson(3.0 if signal else 1.0, n),
            "jet_displaced_pt_fraction": rng.uniform(0, 1, n),
            "jet_mean_significance": rng.exponential(10, n),
            "jet_second_significance": np.where(rng.uniform(size=n) < 0.2, np.nan, rng.exponential(15, n)),
        }
    cast = {column.name: np.asarray(c[column.name]).astype(column.dtype) for column in columns.COLUMNS}
    return ordered(cast)


def signal(name: str, mass: float, *, era: str = "2018", v2_e: float = 1e-6, v2_mu: float = 1e-6) -> Dataset:
    """A signal dataset."""
    couplings = Signal(mass=mass, v2_e=v2_e, v2_mu=v2_mu, ctau=10.0)
    return Dataset(
        name=name, era=era, kind="signal", process="hnl", files=("none.root",), cross_section=0.01, signal=couplings
    )


def background(name: str, process: str, *, era: str = "2018", cross_section: float = 1.0) -> Dataset:
    """A background dataset."""
    return Dataset(
        name=name, era=era, kind="background", process=process, files=("none.root",), cross_section=cross_section
    )


def data(name: str = "pseudodata", *, era: str = "2018") -> Dataset:
    """A dataset of the kind data."""
    return Dataset(name=name, era=era, kind="data", process="data", files=("none.root",), primary_dataset="SingleMuon")


def standard(n: int = 600) -> list[tuple[Dataset, Candidates]]:
    """Two masses of each hypothesis, two backgrounds, QCD and pseudo-data, about n candidates each."""
    return [
        (signal("hnl_m2", 2), candidates(n, mass=2, seed=1, reseeds=4)),
        (signal("hnl_m5", 5), candidates(n // 2, mass=5, seed=2, reseeds=4)),
        (signal("hnl_m8", 8), candidates(n, mass=8, seed=3)),
        (signal("hnl_m15", 15), candidates(n // 2, mass=15, seed=4)),
        (background("wjets", "wjets", cross_section=5.0), candidates(2 * n, seed=5, negative=0.2)),
        (background("ttbar", "ttbar"), candidates(n, seed=6)),
        (background("qcd_mu", "qcd", cross_section=50.0), candidates(n // 6, seed=7)),
        (data(), candidates(n, seed=8)),
    ]


def write(folder: Path, datasets: list[tuple[Dataset, Candidates]], years: tuple[int, ...] = (2018,)) -> Path:
    """A finished selection with these candidates, as `hnl select` leaves it. `passes`: bits of jes_up, jes_down."""
    corrections: dict[str, Any] = {}
    if any((rows["passes"] > 1).any() for _, rows in datasets):
        folder.mkdir(parents=True, exist_ok=True)
        file = jet_corrections.write(folder / "jets.json")
        corrections = {"jets": {"file": file, "uncertainties": {"jes": jet_corrections.TOTAL}}}
    eras = {str(year): Era(year=year, luminosity=10.0, triggers=TRIGGERS, corrections=corrections) for year in years}
    catalogue = Catalogue(eras=eras, datasets=tuple(dataset for dataset, _ in datasets))
    variations = {dataset.name: units.variations(dataset, catalogue) for dataset, _ in datasets}
    content = SelectionFile(
        format=SelectionFile.FORMAT,
        partial=[],
        catalogue=catalogue,
        fingerprints={},
        variations={name: list(some) for name, some in variations.items()},
        files={},
        units={},
        provenance={},
        sum_w={},
        made_with={},
        code={},
        taken={},
    )
    for dataset, rows in datasets:
        n = int(passing(rows, 0).sum())
        sum_w = None if dataset.is_data else 10.0 * n + 1
        info = FileInfo(f"{dataset.name}.root", dataset.name, n + 1, "v9", (), (), "index", n + 1, sum_w, sum_w)
        unit = WorkUnit(dataset.name, info, 0, n + 1)
        mark = units.fingerprint(dataset, catalogue)
        kept: dict[str, Any] = {"events": n + 1, "sum_w": sum_w or 0.0, "sum_w2": 0.0, "cutflow": {}, "n_minus_one": {}}
        kept |= {"variation_sums": {}, "sv_index": {}, "pileup_profile": np.zeros(200)}
        arrays = {name: _Column(column) for name, column in rows.items()}
        parts.write(folder, unit, kept | {"candidates": arrays}, columns.COLUMNS, mark, variations[dataset.name])
        content.fingerprints[dataset.name] = mark
        content.files[dataset.name] = [selection_files.facts(info)]
        content.units[dataset.name] = [unit.name]
        if sum_w is not None:
            content.sum_w[dataset.name] = sum_w
    records.write(folder / layout.SELECTION, content)
    return folder


class _Column:
    """What the processor wraps columns in."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value
