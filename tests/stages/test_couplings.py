"""Limits for ratios of couplings, from the command line: products, the same bits for e, mu and mixed, and refusals."""

import csv
import json
import shutil
from pathlib import Path

import finished_run
import numpy as np
import pytest
from command import Run as Command

from hnl.inference.displaced import inputs
from hnl.inference.displaced.scan import direction
from hnl.physics import widths
from hnl.selections.displaced.categories import CATEGORIES
from hnl.stages.run import Run

QUICK = ("--mass", 8, "--nature", "majorana", "--lowest", 1e-7, "--grid", 1, "--workers", 1, "--method", "asymptotic")


def scans(folder: Path) -> dict[str, dict]:
    return {one["coupling"]: one for one in json.loads((folder / "limits" / "limits.json").read_text())["scans"]}


def test_ratios_from_the_command_line(hnl: Command, finished: Path, tmp_path: Path) -> None:
    """Whose products say the ratio; those of the paper are the same points, which are not scanned again."""
    folder = shutil.copytree(finished, tmp_path / "out")
    assert hnl("limits", folder, *QUICK, "--coupling", "mu", "--coupling", "mixed")[0] == 0
    before = {path.name: path.read_bytes() for path in (folder / "limits" / "points").iterdir()}
    paper = scans(folder)
    ratios = [part for text in ("3:3:0", "0:0.1:0", "2:4:0", "0:1:0.5") for part in ("--coupling", text)]
    status, out, said = hnl("limits", folder, *QUICK, *ratios)
    assert status == 0
    assert "2 masses are scanned already with these inputs" in said
    found = scans(folder)
    assert list(found) == ["mu", "mixed", "1:2:0", "0:2:1"]
    assert {name: found[name] for name in paper} == paper
    for words in ("|V_e V_mu|^2 / (|V_e|^2", "|V_mu|^4 / (|V_e|^2", "W -> tau N and N -> tau q q' count only if"):
        assert words in " ".join(said.split())
    assert "1:2:0" in out
    points = folder / "limits" / "points"
    assert {path.name for path in points.iterdir()} == {
        *before, "1-2-0_majorana_8.json", "0-2-1_majorana_8.json"
    }  # fmt: skip
    assert all((points / name).read_bytes() == content for name, content in before.items())
    assert {"limits_1-2-0_majorana.png", "limits_0-2-1_majorana.pdf"} <= {p.name for p in (folder / "plots").iterdir()}
    rows = list(csv.DictReader((folder / "limits" / "limits.csv").read_text().splitlines()))
    assert {row["coupling"] for row in rows} == {"mu", "mixed", "1:2:0", "0:2:1"}
    hepdata = {path.name: path.read_text() for path in (folder / "limits" / "hepdata").iterdir()}
    assert any("1-2-0" in name for name in hepdata)
    assert "W -> tau N" in " ".join(hepdata["submission.yaml"].split())


@pytest.mark.parametrize("text", ["1:2", "1:-1:0", "0:0:0", "nan:1:0", "0:0:1", "tau"])
def test_bad_input_ends_in_status_2(hnl: Command, finished: Path, text: str) -> None:
    status, _, said = hnl("limits", finished, "--coupling", text)
    assert status == 2
    assert f"coupling '{text}'" in said


def test_ratios_without_their_samples(hnl: Command, tmp_path: Path) -> None:
    """Samples of mu alone say nothing of emu and mue."""
    made = [entry for entry in finished_run.entries() if entry[0].name != "hnl8_mixed"]
    folder = finished_run.write(tmp_path / "out", made)
    status, _, said = hnl("limits", folder, *QUICK, "--coupling", "1:2:0")
    assert status == 2
    message = "the coupling 1:2:0 needs signal samples that couple to both e and mu ('mixed'); there are none"
    assert message in " ".join(said.split())


@pytest.mark.parametrize(
    ("ratio", "sample", "categories"), [("1:2:0", "hnl8_mixed", ("emu", "mue")), ("0:1:1", "hnl8_mu", ("mumu",))]
)
def test_signal_by_hand(finished: Path, ratio: str, sample: str, categories: tuple[str, ...]) -> None:
    """|V_l1|^2 BR(l2 q q') over that of the sample, times Eq. 2: weights event by event, in all regions together."""
    run = Run(finished)
    v2_e, v2_mu, v2_tau = (np.array(json.loads(f"[{ratio.replace(':', ',')}]")) * 1e-6).tolist()
    v2 = {"1:2:0": v2_e * v2_mu / (v2_e + v2_mu), "0:1:1": v2_mu / 2}[ratio]
    of = inputs.load(run).signals.at(direction(ratio, 8.0, "majorana", v2))
    coupling = {k: v for k, v in (("e", v2_e), ("mu", v2_mu), ("tau", v2_tau)) if v}
    generated = {k: v for k, v in finished_run.COUPLINGS["mixed" if v2_e else "mu"].items() if v}
    generated = {k.removeprefix("v2_"): v for k, v in generated.items()}

    def emitted(of_flavours: dict[str, float]) -> float:
        """|V_l1|^2 BR(N -> mu q q'), with l1 = e where N couples to it."""
        l1 = of_flavours.get("e", of_flavours["mu"])
        return l1 * sum(widths.semileptonic_ratios(8.0, of_flavours, "mu").values())

    tau = widths.ctau_mm(8.0, v2_e, v2_mu, v2_tau)
    one = run.scored[sample]
    t = one.columns["gen_ctau"].astype(float)
    density = finished_run.CTAU / tau * np.exp(t * (1 / finished_run.CTAU - 1 / tau))
    weight = one.weights["nominal"] * density * emitted(coupling) / emitted(generated)
    used = (one.columns["n_jets"] == 1) & (one.columns["m_l1_sv"] > 10) & (one.scores["high"] > 0.2)
    chosen = [i for i, name in enumerate(CATEGORIES) if name.split("_")[0] in categories]
    for i in chosen:
        mine = used & (one.columns["category"] == i)
        assert of.nominal.sum_w[i].sum() == pytest.approx(weight[mine].sum(), rel=1e-9)
    assert of.nominal.sum_w[chosen].sum() > 0
