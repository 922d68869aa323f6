"""The page of a run, read back as a browser would."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import scored
import synthetic

from hnl.processors import selection as selections
from hnl.processors.manifests import Tables
from hnl.report import notices, page, sections
from hnl.report.figures import Figure
from hnl.report.page import Page, Section
from hnl.report.states import DONE, NOT_RUN, STALE, StageState
from hnl.terminal import TextTable

VOID = ("img", "meta", "br", "link", "hr")


class Read(HTMLParser):
    """Elements with their attributes, rows of the tables, and everything that is written."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        """The attributes of every element of some kinds."""
        return [attributes for tag, attributes in self.elements if tag in tags]


def check(text: str) -> Read:
    """What holds for every page: whole, self-contained, and fit for those who cannot see it."""
    read = Read(text)
    assert read.open == []
    for image in read.all("img"):
        kind, _, content = str(image["src"]).partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(content, validate=True).startswith(b"\x89PNG")
        assert image["alt"]
    for heading in read.all("th"):
        assert heading["scope"] in ("col", "row")
    assert read.all("link", "script", "iframe", "object") == []
    for _, attributes in read.elements:
        for name, value in attributes.items():
            if name in ("src", "href", "srcset", "poster"):
                assert str(value).startswith(("#", "data:")), value
    assert "url(" not in text
    assert "@import" not in text
    anchors = [str(link["href"]).removeprefix("#") for link in read.all("a")]
    ids = [str(attributes["id"]) for _, attributes in read.elements if "id" in attributes]
    assert set(anchors) <= set(ids)
    assert len(set(ids)) == len(ids)
    return read


def drawn(folder: Path, name: str, **told: str) -> Figure:
    """A small figure in a file."""
    figure, _ = plt.subplots(figsize=(1, 1))
    figure.savefig(folder / f"{name}.png")
    plt.close(figure)
    return Figure((f"{name}.png",), **{"title": name, "caption": "", "alt": "", "section": "selection"} | told)


def flow(*events: int) -> Tables:
    """A cutflow of two requirements."""
    stages = zip(("all events", "N(jets) = 1"), events, strict=True)
    return Tables({stage: {"all": {"events": n, "sum_w": float(n)}} for stage, n in stages}, {})


@pytest.fixture
def selection(tmp_path: Path) -> selections.Selection:
    """Two datasets of a process with a name that HTML must not take for its own, and data."""
    table, _ = scored.random(np.random.default_rng(1), 10)
    entries = [synthetic.background("w1", "<w>"), synthetic.background("w2", "<w>"), synthetic.data()]
    found = selections.load(synthetic.write(tmp_path, [(entry, table) for entry in entries]))
    return replace(found, tables={"w1": flow(50, 10), "w2": flow(7, 3), "pseudodata": flow(20, 2)})


def said(selection: selections.Selection, states: Sequence[StageState] = (), hidden: Sequence[str] = ()) -> list[str]:
    return [f"{n.word}: {n.sentence}" for n in notices.notices(selection, hidden, "", states)]


def test_figures_are_embedded_with_their_captions(tmp_path: Path) -> None:
    figures = [
        drawn(tmp_path, "a", title="A mass & more", caption="Look at <this>", alt='A "hill"'),
        drawn(tmp_path, "b"),
        Figure(("gone.png",), "gone", "", "", "selection"),
    ]
    shown = sections.with_captions(figures, "selection")
    assert shown[1].caption == sections.CAPTIONS["selection"]
    read = check(page.render(Page("T", sections=[Section("selection", "Selection", figures=shown)]), tmp_path))
    assert [image["alt"] for image in read.all("img")] == ['A "hill"', sections.CAPTIONS["selection"]]
    assert base64.b64decode(str(read.all("img")[0]["src"]).partition(",")[2]) == (tmp_path / "a.png").read_bytes()
    assert [image["width"] for image in read.all("img")] == ["75", "75"]  # three quarters of its 100
    assert "A mass & more. Look at <this>" in read.words


def test_names_of_users_are_text_everywhere(tmp_path: Path) -> None:
    bad = "<img src=x onerror=alert(1)>&\"'"
    table = TextTable(bad, (bad, bad), [(bad, bad)], bad)
    figure = drawn(tmp_path, "a", title=bad, caption=bad, alt=bad)
    section = Section("one", bad, [bad], [table], [figure])
    everything = Page(bad, bad, [bad], [page.Notice(bad, bad)], [(bad, [bad])], figure, [section])
    read = check(page.render(everything, tmp_path))
    assert len(read.all("img")) == 2  # the figures alone
    assert "onerror" not in {name for _, attributes in read.elements for name in attributes}
    assert read.words.count("<img src=x onerror=alert(1)>") == 21


def test_the_selection_in_tables(selection: selections.Selection, tmp_path: Path) -> None:
    part = sections.of_selection(selection, [])
    read = check(page.render(Page("T", sections=[part]), tmp_path))
    # 10 candidates of 11 events each; weights of 1 that sum to 101, see `synthetic`.
    (w1,) = [row for row in read.rows if row[0] == "w1"]
    assert w1[1:5] == ["background", "<w>", "2018", "11"]
    assert w1[-1] == "10"
    dataset = selection.catalogue.dataset("w1")
    assert w1[5] == f"{dataset.cross_section:.4g} pb"
    # Unit weights: N / sigma.
    assert float(w1[6].removesuffix("/fb")) == pytest.approx(101 / dataset.cross_section / 1000, rel=0.01)
    # Datasets of one process are added up: 50 + 7 and 10 + 3.
    assert [row[:3] for row in read.rows if row[0] == "<w>"] == [["<w>", "57", "13"]]
    assert [row[:3] for row in read.rows if row[0] == "data"] == [["data", "20", "2"]]


def test_states_and_notices(selection: selections.Selection, tmp_path: Path) -> None:
    """How far the run is, and what is to be known before a number is believed."""
    states = [
        StageState("select", "a -> b", DONE, "", "2026-01-01"),
        StageState("abcd", "c", STALE, "x has changed", "2026-01-02"),
        StageState("limits", "d", NOT_RUN, "no limits: a reason"),
    ]
    read = check(page.render(Page("T", sections=[sections.of_states(states)]), tmp_path))
    assert read.rows[1:] == [
        ["select", "a \N{RIGHTWARDS ARROW} b", "as made", "2026-01-01", ""],
        ["abcd", "c", "out of date", "2026-01-02", "x has changed"],
        ["limits", "d", "not run", "-", "no limits: a reason"],
    ]
    assert said(selection, states, ["region A is hidden"]) == [
        "Blinded: region A is hidden",
        "Warning: data without golden JSON, every luminosity section is used: pseudodata",
        "Out of date: abcd is out of date: x has changed",
        "Not done: no limits: a reason",
    ]
    partial = replace(selection, partial=["lost.root: truncated <at> 3"])
    assert "Partial: 1 files were left out: lost.root: truncated <at> 3" in said(partial)


def test_data_are_told_from_pseudo_data(selection: selections.Selection) -> None:
    """By their process."""
    datasets = selection.catalogue.datasets

    def with_process(process: str) -> selections.Selection:
        changed = tuple(d.model_copy(update={"process": process}) if d.is_data else d for d in datasets)
        return replace(selection, catalogue=selection.catalogue.model_copy(update={"datasets": changed}))

    assert not [line for line in said(with_process("data")) if line.startswith("Simulated")]
    (line,) = [line for line in said(with_process("pseudo-data")) if line.startswith("Simulated")]
    assert line == "Simulated: the data are pseudo-data, drawn from simulation: nothing here was measured"
    none = selection.catalogue.model_copy(update={"datasets": tuple(d for d in datasets if not d.is_data)})
    (line,) = said(replace(selection, catalogue=none))
    assert line == "Simulated: there are no data: everything here is from simulation"
