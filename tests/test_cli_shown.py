"""Figures and the page show what is in the output folder and nothing else, whichever command was last."""

import json
import re
import shutil
from pathlib import Path

import pytest
from command import Run

from hnl import lineage, locking
from hnl.stages import plot
from hnl.stages.displaced import PLOT

QUICK = ("--nature", "majorana", "--mass", 8, "--grid", 1, "--method", "asymptotic", "--workers", 1)


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "out")


def page(out: Path) -> str:
    return (out / "report.html").read_text()


def drawn(out: Path) -> set[str]:
    return {path.name for path in (out / "plots").glob("*.p*")}


def test_figures_follow_limits(hnl: Run, out: Path) -> None:
    """A narrower scan leaves no figure of another coupling, in the folder or on the page; files of the user stay."""
    status, said, error = hnl("limits", out, "--coupling", "mu", "--coupling", "mixed", *QUICK)
    assert status == 0, error
    assert re.search(r"^report: .*report\.html \(2 figures, 2 drawn now\)$", said, re.MULTILINE)
    both = {f"limits_{coupling}_majorana.{suffix}" for coupling in ("mu", "mixed") for suffix in ("png", "pdf")}
    assert drawn(out) == both
    assert page(out).count("Excluded |V|\N{SUPERSCRIPT TWO}, mixed") == 1
    (out / "plots" / "mine.png").write_bytes(b"of the user")
    mine, time = "limits_mu_majorana.png", (out / "plots" / "limits_mu_majorana.png").stat().st_mtime_ns
    # The same again: nothing is drawn.
    assert "(2 figures, all as before)" in hnl("report", out)[1]
    assert (out / "plots" / mine).stat().st_mtime_ns == time
    status, said, _ = hnl("limits", out, "--coupling", "mu", *QUICK)
    assert status == 0
    assert "1 figures, 1 drawn now, 1 removed" in said
    assert drawn(out) == {name for name in both if "mu" in name} | {"mine.png"}
    assert not re.search("mixed,? majorana", page(out), re.IGNORECASE)
    # Without any limits: no figure of them.
    shutil.rmtree(out / "limits")
    assert hnl("report", out)[0] == 0
    assert drawn(out) == {"mine.png"}
    assert "Excluded" not in page(out)


def test_options_of_plot(hnl: Run, out: Path, tmp_path: Path) -> None:
    """Names, formats and style; what is asked for without names is kept by the commands that follow."""
    assert hnl("limits", out, "--coupling", "mu", "--coupling", "mixed", *QUICK)[0] == 0
    (out / "abcd" / "histograms.json").rename(tmp_path / "aside")  # figures of the estimate take long
    style = tmp_path / "big.mplstyle"
    style.write_text("font.size: 20\n")
    before = {name: (out / "plots" / name).read_bytes() for name in drawn(out)}
    status, _, error = hnl("plot", out, "--only", "limits_mu*", "--style", style)
    assert status == 0, error
    after = {name: (out / "plots" / name).read_bytes() for name in drawn(out)}
    assert {name for name in before if before[name] != after[name]} == {
        f"limits_mu_majorana.{s}" for s in ("png", "pdf")
    }
    status, _, error = hnl("plot", out, "--only", "no_such*")
    assert status == 2
    assert "no figure no_such*; there are limits_mixed_majorana, limits_mu_majorana" in " ".join(error.split())
    assert hnl("plot", out, "--style", style, "--format", "svg", "--workers", 1)[0] == 0
    assert drawn(out) == {"limits_mu_majorana.png", "limits_mixed_majorana.png"}
    assert (out / "plots" / "limits_mixed_majorana.svg").stat().st_size > 1000
    assert (out / "plots" / "limits_mixed_majorana.png").read_bytes() != before["limits_mixed_majorana.png"]
    assert lineage.stale(out, PLOT)[:14] != "made with other"
    assert "all as before" in hnl("report", out)[1]
    assert plot.read(out).formats == ("svg",)
    assert hnl("plot", out, "--workers", 1)[0] == 0
    assert {name: (out / "plots" / name).read_bytes() for name in drawn(out)} == before


@pytest.mark.parametrize("text", [None, "font.size: large and red\n", "no_such_key: 3\n", b"\xff\xfe\x00"])
def test_a_style_that_does_not_work(hnl: Run, out: Path, tmp_path: Path, text: str | bytes | None) -> None:
    style = tmp_path / "s.mplstyle"
    if text is not None:
        style.write_bytes(text if isinstance(text, bytes) else text.encode())
    status, _, error = hnl("plot", out, "--style", style)
    assert status == 2
    assert "s.mplstyle" in error
    assert "Traceback" not in error
    assert hnl("plot", out, "--format", "jpg")[0] == 2


@pytest.mark.usefixtures("no_figures")
def test_the_page_follows_unblinding(hnl: Run, out: Path) -> None:
    """'hidden' is said as long as it is so; what was made of blinded data is called out of date."""
    assert hnl("abcd", out)[0] == 0
    assert "region A of the SR is hidden for data" in page(out)
    assert hnl("limits", out, "--coupling", "mu", *QUICK)[0] == 0
    assert "limits is out of date" not in page(out)
    assert hnl("abcd", out, "--unblind")[0] == 0
    assert "hidden" not in page(out)
    assert "limits is out of date: abcd/abcd.json has changed" in page(out)
    assert json.loads((out / "abcd" / "abcd.json").read_text())["hidden"] == ""
    assert hnl("limits", out, "--coupling", "mu", *QUICK)[0] == 0
    assert "out of date" not in page(out)
    assert "observed" in page(out)
    assert not locking.holder(out)


def test_without_a_run(hnl: Run, tmp_path: Path) -> None:
    for command in ("plot", "report"):
        status, _, error = hnl(command, tmp_path)
        assert status == 2
        assert str(tmp_path) in error.replace("\n", "")
        assert not list(tmp_path.iterdir())
