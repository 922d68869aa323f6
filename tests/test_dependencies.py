"""Which change of code makes which products stale: by changing every module in turn."""

import subprocess
import sys
from importlib import metadata

import pytest

from hnl import dependencies
from hnl.analysis import load
from hnl.inference.displaced import limits
from hnl.ml import learning

# What is kept from an earlier run, and what decides on it: written by hand, module by module.
KEPT = {"candidates": load("displaced").stage("select").code, "models": learning.CODE, "scans": limits.CODE}
MAKES = {
    "candidates": """
        corrections: counter jets library
        datasets: arrays auxiliary_files baskets branches files generator_weights golden
        datasets: hashing nanoaod trigger_bits variations versions
        physics: angles constants
        processors: base columns cutflow lists manifests parquet parts rows units
        processors.displaced: candidate columns constituents cuts efficiencies jet_variations processor
        selections: events jets leptons particles triggers truth vertices
        selections.displaced: categories
    """,
    "models": """
        datasets: hashing
        ml: folds sample settings training tuning
        ml.displaced: features trainings
        physics: angles
        processors: columns rows
        processors.displaced: columns
        selections.displaced: categories hypotheses
    """,
    "scans": """
        corrections: couplings lifetime masses nuisances reach
        datasets: variations
        histograms.displaced: abcd settings yields
        inference.abcd: settings
        inference: arrays asymptotics cells compiled_fits factors lhc likelihood methods minimizer
        inference: model model_errors normalisations templates toys
        inference.displaced: lhc_edges modelling scan scan_results signals
        ml: scored
        physics: constants couplings production widths
        processors: rows
        selections.displaced: categories hypotheses regions
    """,
}
OF_STAGES = {
    "hnl.selections.displaced.regions": {"histogram", "train", "abcd", "limits", "fit", "plot"},
    "hnl.corrections.nuisances": {"histogram", "abcd", "k0s", "limits", "fit"},
    "hnl.corrections.weights": {"histogram", "abcd", "k0s", "limits", "fit"},
    "hnl.corrections.jets": {"select", "k0s"},
    "hnl.inference.displaced.k0s": {"k0s"},
    "hnl.inference.displaced.k0s_results": {"k0s", "plot"},
    "hnl.plots.displaced.k0s": {"plot"},
    "hnl.processors.displaced.k0s": {"k0s"},
    "hnl.processors.displaced.k0s_inputs": {"k0s"},
    "hnl.ml.evaluation": {"train"},
    "hnl.ml.scoring": {"train", "score", "k0s"},
    "hnl.inference.abcd.thresholds": {"abcd", "limits", "fit", "plot"},
    "hnl.inference.abcd.projection": {"limits", "fit"},
    "hnl.plots.classifier": {"plot"},
    "hnl.report.displaced.abcd_layout": {"abcd"},
    "hnl.report.displaced.abcd_summary": set(),
    "hnl.datasets.simulation.sample": set(),
    "hnl.cli.stages": set(),
    "hnl.histograms.displaced.distributions": {"histogram", "plot"},
    "hnl.analyses.displaced": set(),
    "hnl.stages.run": set(),
    "hnl.terminal": set(),
}


def made_by(text: str) -> set[str]:
    lines = (line.split(":") for line in text.strip().splitlines())
    return {f"hnl.{room.strip()}.{name}" for room, names in lines for name in names.split()}


def changed(module: str) -> dict[str, str]:
    return {module: dependencies.source(module) + "\n# changed\n"}


@pytest.mark.parametrize("what", KEPT)
def test_each_module_in_turn(what: str) -> None:
    """Exactly what makes a product makes it stale."""
    before = dependencies.digest(KEPT[what])
    stale = {m for m in dependencies.modules() if dependencies.digest(KEPT[what], changed(m)) != before}
    assert stale == made_by(MAKES[what])


@pytest.mark.parametrize("module", OF_STAGES)
def test_stages(module: str) -> None:
    stale = {
        stage.name
        for stage in load("displaced").stages
        if dependencies.digest(stage.code, changed(module)) != dependencies.digest(stage.code)
    }
    assert stale == OF_STAGES[module]


@pytest.mark.parametrize("what", KEPT)
def test_what_python_imports(what: str) -> None:
    """The interpreter, asked what it has loaded, knows no module that was not found."""
    roots = [m for m in KEPT[what] if "#" not in m]
    # Of a search only what its definitions import; the rest of its module is of other stages.
    roots += [name for m in KEPT[what] if "#" in m for name in dependencies.imported(dependencies.source(m))[0]]
    code = f"import sys, importlib; [importlib.import_module(m) for m in {roots}]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    ours = {name for name in loaded if name in dependencies.modules()}
    found = {*dependencies.closure(KEPT[what]), *dependencies.ENDS}
    names = ("arrays", "generator_weights", "golden", "search_settings", "variations", "yaml_lines", "years")
    of_settings = {f"hnl.datasets.{name}" for name in names}
    assert ours - found <= of_settings
    assert {m for m in dependencies.closure(KEPT[what]) if "#" not in m} <= ours


def test_imports_of_a_text() -> None:
    """In functions they count, under TYPE_CHECKING they do not; packages, modules and names in them are told apart."""
    text = """
import json
from typing import TYPE_CHECKING
import numpy as np
from hnl import lineage, __version__
from hnl.ml import folds as parts_of_events
from hnl.ml.displaced.features import Feature, matrix
if TYPE_CHECKING:
    from hnl.plots import abcd
    import matplotlib
else:
    import yaml
def later():
    with open("x"):
        from hnl import clusters
"""
    root = "hnl.locking"
    found = dependencies.closure([root], {root: text, **dict.fromkeys(("hnl.ml.folds", "hnl.clusters"), "")})
    assert {"hnl.lineage", "hnl.ml.folds", "hnl.ml.displaced.features", "hnl.clusters"} < set(found)
    assert "hnl.plots.displaced.abcd" not in found
    assert dependencies.libraries([root], {root: text}) == ("PyYAML", "numpy")
    with pytest.raises(KeyError):
        dependencies.closure(["hnl.no_such_module"])


def test_every_end_is_a_module() -> None:
    assert set(dependencies.ENDS) <= set(dependencies.modules())


def test_libraries_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of one that a product is made with, and of none that it is not."""
    before = {what: dependencies.digest(code, {}) for what, code in KEPT.items()}
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0" if name == "xgboost" else version(name))
    assert {what for what, code in KEPT.items() if dependencies.digest(code, {}) != before[what]} == {"models"}
