"""The page that a run ends with, read back as a browser would."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import scored
import synthetic

from hnl.processors import selection as selections
from hnl.processors.manifests import Tables
from hnl.report import page


class Page(HTMLParser):
    """Rows of the tables, sources of the images, and everything that is written."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.images: list[str | None] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attributes)["src"])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def flow(*events: int) -> Tables:
    """A cutflow of two requirements."""
    stages = zip(("all events", "N(jets) = 1"), events, strict=True)
    return Tables({stage: {"all": {"events": n}} for stage, n in stages}, {})


@pytest.fixture
def selection(tmp_path: Path) -> selections.Selection:
    """Two datasets of a process with a name that HTML must not take for its own, and data."""
    table, _ = scored.random(np.random.default_rng(1), 10)
    entries = [synthetic.background("w1", "<w>"), synthetic.background("w2", "<w>"), synthetic.data()]
    found = selections.load(synthetic.write(tmp_path, [(entry, table) for entry in entries]))
    return replace(found, tables={"w1": flow(50, 10), "w2": flow(7, 3), "pseudodata": flow(20, 2)})


def test_the_page_shows_what_was_found(selection: selections.Selection) -> None:
    figures = [("A mass & more", selection.folder / "plots" / "mass.png")]
    path = page.write(selection, ["3 datasets", "excluded |V|^2 < 1e-6"], figures)
    assert path == selection.folder / "report.html"
    read = Page(path.read_text())
    assert read.open == []
    assert read.images == ["plots/mass.png"]
    assert "33 events were read" in read.words  # 3 x (10 candidates + 1)
    for line in ("3 datasets", "excluded |V|^2 < 1e-6", "A mass & more"):
        assert line in read.words
    # Datasets of one process are added up: 50 + 7 and 10 + 3.
    assert read.rows[:3] == [["requirement", "<w>", "data"], ["all events", "57", "20"], ["N(jets) = 1", "13", "2"]]
    assert ["numpy", np.__version__] in read.rows
    assert "Partial result" not in read.words


def test_a_partial_result_says_so(selection: selections.Selection) -> None:
    partial = replace(selection, partial=["lost.root: truncated <at> 3"])
    read = Page(page.write(partial, [], []).read_text())
    assert "Partial result: left outlost.root: truncated <at> 3" in read.words
    assert read.images == []
