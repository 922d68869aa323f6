"""The cutflow in the terminal, of a finished selection with many processes."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scored
import synthetic
from rich.console import Console

from hnl.processors import selection as selections
from hnl.processors.manifests import Tables
from hnl.report import cutflow
from hnl.terminal import TextTable, lines

STAGES = ("all events", "certified luminosity section", "N(jets) = 1")
BACKGROUNDS = ("ttbar", "st_tchannel", "w[/b]jets", "zjets", "diboson", "qcd", "higgs")


def flow(n: int) -> dict[str, dict[str, dict[str, float]]]:
    """n events, of which half are left in the end, with weights of 2."""
    numbers = (n, n, n // 2)
    return {stage: {"all": {"events": k, "sum_w": 2.0 * k}} for stage, k in zip(STAGES, numbers, strict=True)}


@pytest.fixture
def selection(tmp_path: Path) -> selections.Selection:
    """Backgrounds of 200, 400, ... events, six signals of 50, data in two datasets of 10 and 20."""
    table, _ = scored.random(np.random.default_rng(1), 10)
    entries = [synthetic.background(f"b{i}", name, cross_section=1.0) for i, name in enumerate(BACKGROUNDS)]
    entries += [synthetic.signal(f"hnl{m}", m, v2_e=0.0, v2_mu=1e-5) for m in (3, 4, 5, 8, 10, 12)]
    entries = [
        entry.model_copy(update={"process": entry.name}) if entry.kind == "signal" else entry for entry in entries
    ]
    entries += [synthetic.data(), synthetic.data().model_copy(update={"name": "more"})]
    found = selections.load(synthetic.write(tmp_path, [(entry, table) for entry in entries]))
    numbers = [200 * (i + 1) for i in range(len(BACKGROUNDS))] + [50] * 6 + [10, 20]
    tables = {entry.name: Tables(flow(n), {}) for entry, n in zip(entries, numbers, strict=True)}
    return replace(found, tables=tables)


def printed(table: TextTable, width: int) -> list[str]:
    return [line for part in lines(table, width, breaks=False) for line in part]


def cells(table: TextTable, name: str) -> list[str]:
    i = list(table.headings).index(name)
    return [row[i] for row in table.rows]


def test_what_fits_is_not_summed(selection: selections.Selection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutflow, "out_console", Console(width=300))
    table = cutflow.table(selection)
    data = synthetic.data().process
    signals = [f"hnl{m}" for m in (3, 4, 5, 8, 10, 12)]
    assert list(table.headings) == ["requirement", data, *BACKGROUNDS, *signals]
    # Sum of weights 2 x 100 after all; 1 pb x 10/fb = 10^4 events over the 101 that were generated.
    assert cells(table, "ttbar") == ["200", "200", "100", "19,802"]
    assert cells(table, data) == ["30", "30", "15", "30"]
    assert table.note == ""


def test_signals_and_small_backgrounds_are_summed_to_fit(
    selection: selections.Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutflow, "out_console", Console(width=80))
    table = cutflow.table(selection)
    assert max(map(len, printed(table, 80))) <= 80
    assert cells(table, "6 signals") == ["300", "300", "150", "-"]
    (others,) = (name for name in table.headings if re.fullmatch(r"\d others", name))
    number = int(others[0])
    small = [200 * (i + 1) for i in range(number)]  # the smallest come first here
    assert cells(table, others)[:3] == [f"{sum(small):,}", f"{sum(small):,}", f"{sum(small) // 2:,}"]
    assert table.note == f"others: {', '.join(BACKGROUNDS[:number])}"
    assert [name for name in table.headings if name in BACKGROUNDS] == list(BACKGROUNDS[number:])


def test_however_narrow(selection: selections.Selection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutflow, "out_console", Console(width=20))
    table = cutflow.table(selection)
    assert len(table.headings) == 4
    assert cells(table, "7 others")[0] == f"{200 * 28:,}"
