"""Stage `abcd`: scored candidates -> regions, thresholds, background estimate, and every check of section 6.

Blinding (kind: data): until `unblind`, candidates of data in SR-A are dropped before anything is filled. No product of
the stage can tell them, and what is not in a region at all is not filled either, so that they do not follow from the
cutflow and the other regions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hist
import numpy as np
import rich.table

from hnl import provenance
from hnl.corrections import library
from hnl.datasets import corrections as catalogue_corrections
from hnl.datasets.catalogue import Dataset
from hnl.errors import InputError
from hnl.histograms import abcd as histograms
from hnl.histograms import abcd_files, yields
from hnl.histograms.abcd import NOMINAL, Cells
from hnl.histograms.yields import Counts
from hnl.inference.abcd import checks
from hnl.inference.abcd import thresholds as tuning
from hnl.inference.abcd.checks import Scored, belongs, samples_of
from hnl.inference.abcd.records import NO_CLASSIFIER, exists
from hnl.inference.abcd.thresholds import Scan
from hnl.ml import scoring
from hnl.plots import abcd as plots
from hnl.processors import parts
from hnl.processors import selection as selections
from hnl.processors.parts import Candidates
from hnl.processors.selection import Selection
from hnl.report import abcd_layout, abcd_summary
from hnl.report.tables import Table
from hnl.selections.categories import CATEGORIES
from hnl.selections.regions import HYPOTHESES, Thresholds

FORMAT = 1  # of abcd.json; raised when its meaning changes
FOLDER = "abcd"
HIDDEN = "region A of the SR is hidden for data (blinded)"

USED = ("category", "n_jets", "m_l1_sv", "m_sv", "delta_2d", "gen_weight", "gen_ctau", "gen_same_sign")


@dataclass(frozen=True)
class Result:
    """What the stage found and wrote."""

    tables: dict[str, Table]
    thresholds: Thresholds
    scans: dict[str, dict[str, Scan]]  # hypothesis -> category; empty if there was nothing to scan
    histograms: dict[str, hist.Hist]
    figures: list[tuple[str, Path]]  # title, PNG
    files: list[Path]
    hidden: str  # '' or what is
    partial: list[str]

    def rich_tables(self, *, full: bool = False, only: Sequence[str] = ()) -> list[rich.table.Table]:
        """For the terminal: each category with its bins together, or every bin; all tables, or only those named."""
        records = {name: table.records for name, table in self.tables.items()}
        tables = self.tables.values() if full else abcd_summary.tables(records)
        return [table.rich() for table in tables if not only or table.name in only]


def abcd(out: Path, *, unblind: bool = False, thresholds: Path | None = None) -> Result:
    """Fills the regions, chooses thresholds, estimates the background and checks it; writes OUT/abcd and figures.

    Args:
        out: output folder with a finished selection and scores.
        unblind: show region A of the SR for data.
        thresholds: table of thresholds (JSON) to be used in place of the optimised ones.

    Raises:
        SelectionError, InputError: see `selection.load`, `ml.scoring.read` and `thresholds.read`.
        FillError: a candidate cannot be filled.
    """
    given = tuning.read(thresholds) if thresholds else None
    selection = selections.load(out)
    scored = [read(selection, dataset) for dataset in selection.catalogue.datasets]
    used = corrections_of(selection)
    return analyse(scored, out, unblind=unblind, given=given, partial=selection.partial, corrections=used)


def corrections_of(selection: Selection) -> dict[str, dict[str, str]]:
    """For each era its files of corrections and their SHA-256, as they are now."""
    files = {name: catalogue_corrections.files(era.corrections) for name, era in selection.catalogue.eras.items()}
    return {name: found for name, some in files.items() if (found := {str(f): library.sha256(f) for f in some})}


def read(selection: Selection, dataset: Dataset) -> Scored:
    """Candidates of a dataset with their scores and weights, in all variations.

    Raises:
        HNLError: see `ml.scoring.read`.
    """
    rows = selection.rows(dataset.name)
    scores = dict(zip(HYPOTHESES, scoring.read(selection.folder, dataset.name, rows), strict=True))
    weights = selection.weights(dataset, rows)
    columns = {name: rows[name] for name in USED}
    every = Scored(dataset, columns, scores, weights, _clusters(rows, dataset.is_data))
    return _by_variation(every, rows, selection.variations(dataset.name))


def _by_variation(every: Scored, rows: Candidates, variations: Sequence[str]) -> Scored:
    """Nominal candidates with all weights, and those of each variation of jet energies with the nominal weight.

    Raises:
        InputError: a nuisance of jets has the name of a nuisance of weights.
    """
    if both := sorted(set(every.weights) & set(variations[1:])):
        raise InputError(
            f"era {every.dataset.era}: {both[0]} is a variation of weights and one of jet energies; "
            "call the nuisance in corrections.jets otherwise"
        )
    nominal, *shifted = (every.chosen(parts.passing(rows, i)) for i in range(len(variations)))
    only_nominal = (replace(one, weights={NOMINAL: one.weights[NOMINAL]}) for one in shifted)
    return replace(nominal, shifted=dict(zip(variations[1:], only_nominal, strict=True)))


def _clusters(candidates: Candidates, is_data: bool) -> np.ndarray:
    """Numbers of generated events, from 0: re-simulations share one."""
    if is_data:
        return np.arange(len(candidates["event"]))
    key = np.stack([candidates[name].astype(np.uint64) for name in ("run", "luminosity_block", "generator_event")])
    return np.unique(key, axis=1, return_inverse=True)[1].reshape(-1)


def analyse(
    scored: Sequence[Scored],
    out: Path,
    *,
    unblind: bool = False,
    given: Thresholds | None = None,
    partial: Sequence[str] = (),
    corrections: Mapping[str, Mapping[str, str]] | None = None,
) -> Result:
    """`abcd` for datasets in memory; arguments as there, `partial` the files that were left out, `corrections` for each
    era the files of corrections and their SHA-256."""
    by_kind = {kind: [s for s in scored if s.dataset.kind == kind] for kind in ("data", "background", "signal")}
    hidden = bool(by_kind["data"]) and not unblind
    edges = histograms.score_edges(x for row in (given or {}).values() for x in row.values())
    cells = {
        (s.dataset.name, h): histograms.cells(s.dataset.name, dict(s.columns), s.scores[h], h, edges, s.cluster)
        for s in scored
        for h in HYPOTHESES
    }
    without = checks.unscored(scored)
    scans = _scans(by_kind, cells, edges)
    chosen = given or {
        h: {c: scans[h][c].chosen if scans else histograms.SCAN[0] for c in CATEGORIES} for h in HYPOTHESES
    }
    if hidden:
        names = {s.dataset.name for s in by_kind["data"]}
        cells = {key: one.without_target(chosen) if key[0] in names else one for key, one in cells.items()}

    datasets = {s.dataset.name: s.dataset.era for s in scored}
    variations = list(dict.fromkeys([NOMINAL, *(v for s in scored for v in (*s.weights, *s.shifted))]))
    filled = {
        "regions": histograms.make_regions(datasets, variations),
        "plane": histograms.make_plane(datasets, edges),
    }
    for s in scored:
        for h in HYPOTHESES:
            places = cells[s.dataset.name, h]
            era, weights = s.dataset.era, s.weights
            unshifted = [name for name in variations if name not in s.shifted]
            histograms.fill_regions(filled["regions"], s.dataset.name, era, places, weights, chosen, unshifted)
            for name, one in s.shifted.items():
                own = histograms.cells(s.dataset.name, dict(one.columns), one.scores[h], h, edges, one.cluster)
                histograms.fill_regions(filled["regions"], s.dataset.name, era, own, one.weights, chosen, [name])
            histograms.fill_plane(filled["plane"], s.dataset.name, places, weights[NOMINAL])
    for histogram in filled.values():
        histogram.label = HIDDEN if hidden else ""

    records = checks.records(by_kind, cells, filled, chosen, scans, fixed=given is not None, hidden=hidden)
    for rows in records.values():
        for row in rows:
            if (row["hypothesis"], row.get("category")) in without:
                row["mark"] = NO_CLASSIFIER
    tables = abcd_layout.tables(records, hidden)
    figures = plots.draw_all(records, filled["plane"], samples_of(by_kind), scans, chosen, out / "plots")
    note = HIDDEN if hidden else ""
    facts = {
        "partial": list(partial),
        "corrections": corrections or {},
        "variations": {s.dataset.name: [*s.weights, *s.shifted] for s in scored},  # the others are nominal
    }
    files = _write(out / FOLDER, tables, filled, chosen, scans, note, facts)
    return Result(tables, chosen, scans, filled, figures, files, note, list(partial))


def _scans(
    by_kind: Mapping[str, Sequence[Scored]], cells: Mapping[tuple[str, str], Cells], edges: Sequence[float]
) -> dict[str, dict[str, Scan]]:
    """Scan of the thresholds with simulated background, or with data where there is none.

    Data in the window 50-85 GeV above the lowest threshold of the scan is not looked at, unblinded or not.
    """
    background = by_kind["background"] or by_kind["data"]
    if not background:
        return {}
    lowest = {h: dict.fromkeys(CATEGORIES, histograms.SCAN[0]) for h in HYPOTHESES}
    used = [*background, *by_kind["signal"]]
    plane = histograms.make_plane([s.dataset.name for s in used], edges)
    for s in used:
        for h in HYPOTHESES:
            places = cells[s.dataset.name, h]
            places = places.without_target(lowest) if s.dataset.is_data else places
            histograms.fill_plane(plane, s.dataset.name, places, s.weights[NOMINAL])

    def at_each(names: Sequence[str], hypothesis: str) -> Counts:
        every = [yields.counts_at(plane, names, hypothesis, "SR", [x] * len(CATEGORIES)) for x in histograms.SCAN]
        return Counts(np.stack([c.sum_w for c in every]), np.stack([c.sum_w2 for c in every]))

    result: dict[str, dict[str, Scan]] = {}
    for h in HYPOTHESES:
        total = at_each([s.dataset.name for s in background], h)
        signals = [at_each([s.dataset.name], h) for s in by_kind["signal"] if belongs(s.dataset, h)]
        norms = [float(signal.sum_w[0].sum()) for signal in signals]
        result[h] = {}
        for i, category in enumerate(CATEGORIES):
            there = exists(h, category)
            b, *s_in = (Counts(c.sum_w[:, i, there], c.sum_w2[:, i, there]) for c in (total, *signals))
            result[h][category] = tuning.scan(histograms.SCAN, b, s_in, norms)
    return result


def _write(
    folder: Path,
    tables: Mapping[str, Table],
    filled: Mapping[str, hist.Hist],
    chosen: Thresholds,
    scans: Mapping[str, Mapping[str, Scan]],
    hidden: str,
    facts: Mapping[str, Any],
) -> list[Path]:
    """Everything but the figures."""
    scan_content = {
        h: {c: {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(s).items()} for c, s in row.items()}
        for h, row in scans.items()
    }
    content = {
        "format": FORMAT,
        "hidden": hidden,
        **facts,
        "thresholds": chosen,
        "tables": {name: table.records for name, table in tables.items()},
        "scan": scan_content,
        "provenance": provenance.record(),
    }
    provenance.write_json(folder / "abcd.json", content)
    provenance.write_json(folder / "thresholds.json", chosen)
    abcd_files.write_json(folder / "histograms.json", dict(filled))
    abcd_files.write_root(folder / "histograms.root", dict(filled))
    for name, table in tables.items():
        provenance.write_text(folder / f"{name}.csv", table.csv())
        provenance.write_text(folder / f"{name}.tex", table.latex())
    names = ["abcd.json", "thresholds.json", "histograms.json", "histograms.root"]
    return [folder / name for name in names] + [folder / f"{t}.{suffix}" for t in tables for suffix in ("csv", "tex")]
