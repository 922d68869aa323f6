"""The one-file searches of docs/examples, through the same commands as the displaced one."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import numpy as np
import pyhf
import pytest
import uproot
import yaml
from scipy.optimize import brentq
from scipy.stats import poisson
from typer.testing import CliRunner

import hnl
from hnl import dependencies
from hnl.analysis import AnalysisError, load
from hnl.cli.app import app
from hnl.condor import items
from hnl.condor import job as batch_job
from hnl.datasets.catalogue import CatalogueError
from hnl.datasets.settings import Batch
from hnl.histograms.templates import TemplateError
from hnl.inference.pyhf_model import Reference
from hnl.processors import parts, planning, units
from hnl.processors import selection as selections
from hnl.stages.run import Run

ROOT = Path(hnl.__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
DEMO = ROOT / "datasets" / "demo"


def hnl_command(*arguments: object) -> str:
    """Runs a command in this process."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def copied(name: str, folder: Path, **changes: tuple[str, str]) -> Path:
    """A catalogue of the examples and its search in another folder, with changes of the search."""
    content = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    for dataset in content["datasets"]:
        dataset["files"] = [str((EXAMPLES / file).resolve()) for file in dataset["files"]]
    text = (EXAMPLES / f"{name}.py").read_text()
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture(scope="module")
def dimuon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, stage by stage."""
    folder = tmp_path_factory.mktemp("dimuon")
    catalogue, out = copied("dimuon", folder), folder / "out"
    hnl_command("select", catalogue, "-o", out, "--workers", 2)
    for command in (["histogram", out], ["fit", out], ["limits", out, "--toys", 2000]):
        hnl_command(*command)
    return out


def read(path: Path) -> dict:
    return dict(json.loads(path.read_text()))


def dimuon_masses(file: Path) -> np.ndarray:
    """m(mumu) of the events that the example wants, written down anew from Table 1 and the catalogue."""
    with uproot.open(file) as root:
        tree = root["Events"]
        names = ["pt", "eta", "phi", "mass", "charge", "dxy", "dz", "pfRelIso03_all", "mediumId"]
        muon = tree.arrays([f"Muon_{name}" for name in names] + ["HLT_IsoMu24"])
    prompt = (muon.Muon_pt > 30) & (abs(muon.Muon_eta) < 2.4) & (abs(muon.Muon_dxy) < 0.01) & (abs(muon.Muon_dz) < 0.1)
    prompt = prompt & (muon.Muon_pfRelIso03_all < 0.1) & muon.Muon_mediumId
    masses = []
    for event, good in zip(muon.to_list(), prompt.to_list(), strict=True):
        chosen = [i for i, is_good in enumerate(good) if is_good]
        if not event["HLT_IsoMu24"] or len(chosen) != 2 or sum(event["Muon_charge"][i] for i in chosen) != 0:
            continue
        pt, eta, phi, mass = (
            [float(event[f"Muon_{name}"][i]) for i in chosen] for name in ("pt", "eta", "phi", "mass")
        )
        x, y, z = (sum(map(f, pt, phi, eta)) for f in (
            lambda p, f, e: p * np.cos(f), lambda p, f, e: p * np.sin(f), lambda p, f, e: p * np.sinh(e)
        ))  # fmt: skip
        energy = sum(np.sqrt((p * np.cosh(e)) ** 2 + m**2) for p, e, m in zip(pt, eta, mass, strict=True))
        masses.append(float(np.sqrt(energy**2 - x**2 - y**2 - z**2)))
    result = np.array(masses)
    return result[(result > 60) & (result < 130)]


def test_files_are_short() -> None:
    for name in ("dimuon", "counting"):
        assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) <= 120


@pytest.mark.parametrize("dataset", ["data", "zjets", "ttbar"])
def test_selection(dimuon: Path, dataset: str) -> None:
    selection = selections.load(dimuon)
    rows = selection.candidates(dataset)
    file = DEMO / {"data": "pseudodata.root"}.get(dataset, f"{dataset}.root")
    expected = dimuon_masses(file)
    assert len(expected) > 5
    np.testing.assert_allclose(np.sort(rows["m_mumu"]), np.sort(expected), rtol=1e-5)
    last = list(read(dimuon / "cutflow.json")[dataset]["cutflow"].values())[-1]
    assert last["all"]["events"] == len(expected)


def test_files_are_checked_for_what_the_search_reads(dimuon: Path, tmp_path: Path) -> None:
    """What `datasets check` learns of the files serves `select`."""
    said = hnl_command("datasets", "check", dimuon.parent / "dimuon.yaml", "-o", tmp_path / "out")
    assert "ttbar.root" in said
    layouts = read(tmp_path / "out" / "files.json")["layouts"]
    assert layouts == read(dimuon / "files.json")["layouts"]
    branches = {name for branches, _ in layouts for name in branches}
    assert {name.split("_")[0] for name in branches} & {"Electron", "Jet", "SV", "TrigObj"} == set()


def test_histograms(dimuon: Path) -> None:
    """Weighted with cross section x luminosity / sum of weights."""
    histograms = uproot.open(dimuon / "histograms.root")
    masses = dimuon_masses(DEMO / "ttbar.root")
    with uproot.open(DEMO / "ttbar.root") as root:
        generated = root["Runs"]["genEventSumw"].array().to_numpy().sum()
        weights = ak.to_numpy(root["Events"]["genWeight"].array())
    assert len(np.unique(weights)) == 1
    expected = np.histogram(masses, 35, (60, 130))[0] * weights[0] * 831.76 * 1000 * 0.07 / generated
    np.testing.assert_allclose(histograms["m_mumu/ttbar"].values(), expected, rtol=1e-6)


def test_fits_and_limits_against_pyhf(dimuon: Path) -> None:
    """The exported workspace, in pyhf with Minuit."""
    fits = {fit["sample"]: fit for fit in read(dimuon / "fit" / "fit.json")["fits"]}
    limits = {limit["name"]: limit["limit"] for limit in read(dimuon / "limits" / "strengths.json")["limits"]}
    assert list(fits) == list(limits) == [f"resonance_{mass}" for mass in (70, 80, 110, 120)]
    name = "resonance_80"
    workspace = pyhf.Workspace(read(dimuon / "limits" / "models" / f"{name}_pyhf.json"))
    model = workspace.model()
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(tolerance=1e-3))
    best = pyhf.infer.mle.fit(workspace.data(model), model)
    assert fits[name]["mu"] == pytest.approx(float(best[model.config.poi_index]), abs=2e-3)
    reference = Reference(Run(dimuon).models([name])[name]).upper_limit()
    assert limits[name]["observed_asymptotic"] == pytest.approx(reference.observed, rel=2e-3)


def test_opened_from_python(dimuon: Path) -> None:
    """The same calls as for the displaced search; its data are not hidden anywhere, and there is no score."""
    opened = hnl.open(dimuon)
    masses = opened.candidates("pseudodata").m_mumu
    np.testing.assert_allclose(np.sort(masses), np.sort(dimuon_masses(DEMO / "pseudodata.root")), rtol=1e-5)
    table = opened.table().to_pandas()
    assert not table.duplicated(["dataset", "run", "luminosity_block", "event", "variation"]).any()
    assert set(table["variation"]) == {"nominal"}
    assert not {"score_low", "category", "passes"} & set(table)
    expected = opened.histogram("m_mumu")[{"dataset": "ttbar", "m_mumu": sum}].value
    assert table.loc[table["dataset"] == "ttbar", "final_weight"].sum() == pytest.approx(expected, rel=1e-12)
    assert [limit.name for limit in opened.limits().limits] == [fit.sample for fit in opened.fits().fits]
    assert set(opened.cutflow()) == set(table["dataset"])
    with pytest.raises(AnalysisError, match="has no stage abcd"):
        opened.yields()


def test_the_peak(dimuon: Path) -> None:
    """The signal of 1 pb x 0.4 in 0.07/fb, all of it where the resonance is; the data as counted."""
    rows = [row for fit in read(dimuon / "fit" / "fit.json")["fits"] for row in fit["yields"]]
    for mass in (0, 1, 2, 3):
        assert sum(row["signal"] for row in rows[10 * mass : 10 * mass + 10]) == pytest.approx(28.0, rel=1e-4)
    data = np.histogram(dimuon_masses(DEMO / "pseudodata.root"), (60, 66, 72, 78, 84, 88, 92, 96, 102, 108, 130))[0]
    assert [row["observed"] for row in rows[:10]] == data.tolist()
    assert [round(row["signal"], 3) for row in rows[:10]][1] == max(row["signal"] for row in rows[:10]).__round__(3)


def test_what_is_stale(dimuon: Path, tmp_path: Path) -> None:
    """A bin edge of the templates reads no NanoAOD, a cut does; a title redoes the report alone."""
    changes = {
        "models": ("108, HIGHEST)", "110, HIGHEST)"),
        "cut": ("ak.num(muons) == 2", "ak.num(muons) >= 2"),
        "title": ('title="narrow', 'title="very narrow'),
        "comment": ("# GeV, of the resonance", "# in GeV"),
    }
    expected = {"models": {"fit", "limits"}, "cut": {"select"}, "title": {"report"}, "comment": set()}
    original = digests(copied("dimuon", tmp_path / "as it is"))
    for name, change in changes.items():
        new = digests(copied("dimuon", tmp_path / name, change=change))
        assert {stage for stage in original if new[stage] != original[stage]} == expected[name]


def digests(catalogue: Path) -> dict[str, str]:
    analysis = load(f"{catalogue.with_suffix('.py')}:DIMUON")
    return {stage.name: dependencies.digest(stage.code) for stage in analysis.stages}


def test_a_search_elsewhere_has_the_same_candidates(dimuon: Path, tmp_path: Path) -> None:
    """It is known by its content: in another folder nothing is stale."""
    here = digests(dimuon.parent / "dimuon.yaml")
    shutil.copytree(dimuon.parent, tmp_path / "moved", ignore=shutil.ignore_patterns("out"))
    assert digests(tmp_path / "moved" / "dimuon.yaml") == here


def test_it_travels_to_a_worker_without_our_folders(dimuon: Path, tmp_path: Path) -> None:
    """The file goes with the work under a name of its content, and gives the same part to the byte."""
    plan = planning.plan(dimuon.parent / "dimuon.yaml", tmp_path / "out")
    jobs, files = planning.packed(plan.jobs)
    assert [path.name for path in files.values()] == ["dimuon.py"]
    (tmp_path / "worker").mkdir()
    for name, path in files.items():
        assert "/" not in name
        shutil.copy(path, tmp_path / "worker" / name)
    (job,) = (job for job in jobs if job.unit.dataset == "zgamma")
    assert "dimuon.py:DIMUON" in job.catalogue.analysis
    assert not Path(job.catalogue.analysis).is_absolute()
    result = units.process_unit(job, tmp_path / "worker")
    assert result.part is not None
    parquet, _ = parts.paths(dimuon, "zgamma", job.unit.name)
    assert result.part.parquet == parquet.read_bytes()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("train",), "has no stage train; it has select, histogram, fit, limits, plot, report"),
        (("abcd",), "has no stage abcd"),
        (("limits", "--mass", "10"), "--mass is an option of the displaced search"),
        (("fit", "--scale-to", "138"), "--scale-to is an option of the displaced search"),
        (("fit", "--sample", "resonance_90"), "no model 'resonance_90'; there are resonance_70"),
    ],
)
def test_what_the_search_does_not_have(dimuon: Path, command: tuple[str, ...], words: str) -> None:
    name, *options = command
    with pytest.raises(hnl.errors.InputError, match=words):
        hnl_command(name, dimuon, *options)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("{folder}/none.py:X", "no such file"),
        ("no_such_search", "no search 'no_such_search'"),
        ("hnl.no_such_module:X", "No module named"),
        ("hnl.layout:SELECTION", "is no Analysis but str"),
        ("{folder}/broken.py:X", "ZeroDivisionError"),
    ],
)
def test_a_search_that_cannot_be_had(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "broken.py").write_text("X = 1 / 0\n")
    path = copied("dimuon", tmp_path)
    content = yaml.safe_load(path.read_text()) | {"analysis": name.format(folder=tmp_path)}
    path.write_text(yaml.safe_dump(content))
    with pytest.raises((AnalysisError, CatalogueError), match=words):
        hnl_command("select", path, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_column_that_is_not_there(dimuon: Path, tmp_path: Path) -> None:
    search = copied("dimuon", tmp_path, change=('"m_mumu", EDGES)', '"m_ee", EDGES)')).with_suffix(".py")
    run = Run(dimuon)
    with pytest.raises(TemplateError, match="no column 'm_ee'; they have passes, run"):
        load(f"{search}:DIMUON").models(run)  # type: ignore[misc]


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The whole run of the counting experiment, of one signal."""
    folder = tmp_path_factory.mktemp("counting")
    catalogue = copied("counting", folder)
    content = yaml.safe_load(catalogue.read_text())
    content["datasets"] = [
        d for d in content["datasets"] if d["name"] in ("hnl8_mu", "ttbar", "zjets", "pseudodata", "st_tw")
    ]
    catalogue.write_text(yaml.safe_dump(content))
    hnl_command("run", catalogue, "-o", folder / "out", "--workers", 2)
    return folder / "out"


def test_a_counting_experiment(counting: Path) -> None:
    """The limit is that of an exact calculation with the counts of the files, as far as the background is known."""
    (limit,) = read(counting / "limits" / "strengths.json")["limits"]
    (fit,) = read(counting / "fit" / "fit.json")["fits"]
    (row,) = fit["yields"]
    observed, background, signal = row["observed"], row["prefit"], row["signal"]
    selection = selections.load(counting)
    rows = selection.candidates("pseudodata")
    assert observed == ((rows["delta_2d"] >= 1) & (rows["m_sv"] > 2)).sum()
    assert signal > 0
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    # All nuisance parameters of the background together, as one log-normal.
    kappas = [1 + impact["size"] for impact in sizes(counting)]
    b = background * np.exp(np.sqrt(sum(np.log(kappas) ** 2)) * nodes)

    def cls(mu: float) -> float:
        return float(weights @ poisson.cdf(observed, mu * signal + b) / (weights @ poisson.cdf(observed, b)))

    exact = brentq(lambda mu: cls(mu) - 0.05, 1e-6, 1e6 / signal)
    assert limit["limit"]["observed"] == pytest.approx(exact, rel=0.1)
    report = (counting / "report.html").read_text()
    assert "Search for a muon and a displaced vertex, counted" in report


def sizes(out: Path) -> list[dict[str, float]]:
    """Log-normal uncertainties of the background in its one bin."""
    (model,) = Run(out).models().values()
    (channel,) = model.templates
    total = channel.background[0]
    result = [{"size": channel.background_mc[0] - 1}] if channel.background_mc else []
    for factors in channel.factors.values():
        shift = sum(channel.backgrounds[p][0] * (k[0] - 1) for p, k in factors.items() if p != "signal")
        result.append({"size": float(abs(shift) / total)})
    return result


def test_it_travels_with_a_job_of_htcondor(dimuon: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an item lists is all that the job needs in an empty folder."""
    plan = planning.plan(dimuon.parent / "dimuon.yaml", tmp_path / "out")
    jobs, files = planning.packed([job for job in plan.jobs if job.unit.dataset == "zgamma"])
    submit, job_folder = tmp_path / "submit", tmp_path / "job"
    batch = Batch(local_files="shared")
    submit.mkdir()
    items.copy_support_files(submit, files)
    job_folder.mkdir()
    for name in items.write(submit, batch, "first", jobs):
        shutil.copy(submit / name, job_folder / Path(name).name)
    monkeypatch.chdir(job_folder)
    assert batch_job.run(Path("first.json")) == 0
    with zipfile.ZipFile("first.zip") as archive:
        packed = archive.read(f"{jobs[0].unit.name}.parquet")
    assert packed == parts.paths(dimuon, "zgamma", jobs[0].unit.name)[0].read_bytes()
