"""Lists of the jet's particles and vertices: known ones by hand, and what becomes of them on disk and in arrays."""

from pathlib import Path
from typing import Any

import awkward as ak
import chain
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from chain import NAME, catalogue_of
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, Event, Style, event, write

from hnl import comparison, layout
from hnl.candidate_tables import NoListsError
from hnl.executors import ExecutionOptions
from hnl.output import Output
from hnl.processors import parts, planning, selection
from hnl.processors.displaced.constituents import LISTS
from hnl.stages import select

PARTICLES = Style(particles=True, skimmed=False)
JET = {"eta": -0.25, "phi": 2.85}  # of the default event


def event_with(number: int, **fields: Any) -> Event:
    """Three particles in the jet of l2, one of another jet, one that was not kept; two vertices, one far off."""
    inside = [
        {"pt": 4.0, "eta": -0.5, "phi": -3.0, "charge": 0, "pdgId": 22, "d0Err": -1.0, "svIdx": -1},
        {"pt": 9.0, "eta": 1.0, "phi": 0.0},  # of another jet
        {"pt": 16.0, "eta": -0.3, "phi": 2.8, "pdgId": 11, "charge": -1, "d0": -0.5, "d0Err": 0.01, "dz": 1.0,
         "dzErr": 0.02, "numberOfPixelHits": 2, "numberOfHits": 11, "pvAssocQuality": 1, "svIdx": 0},
        {"pt": 2.0, "eta": -0.2, "phi": 2.9, "pdgId": -211, "charge": -1, "d0": 0.25, "d0Err": 0.005, "dz": -0.5,
         "dzErr": 0.01, "numberOfPixelHits": 4, "numberOfHits": 20, "pvAssocQuality": 7, "svIdx": 3},
    ]  # fmt: skip
    links = [{"jetIdx": 0, "pFCandsIdx": i} for i in (0, 2, 3, -1)] + [{"jetIdx": 1, "pFCandsIdx": 1}]
    far = {"pt": 30.0, "eta": 1.0, "phi": 0.0, "mass": 2.0}
    other = {"pt": 10.0, "eta": 1.0, "phi": 0.0, "mass": 2.0}
    return event(number, more={"PFCands": inside, "JetPFCands": links, "SV": [far], "Jet": [other]}, **fields)


EXPECTED = {
    "particle_pt": [16, 4, 2],
    "particle_deta": [-0.05, -0.25, 0.05],
    "particle_dphi": [-0.05, -3.0 - 2.85 + 2 * np.pi, 0.05],
    "particle_charge": [-1, 0, -1],
    "particle_type": [11, 22, 211],
    "particle_d0": [-0.5, np.nan, 0.25],
    "particle_d0_err": [0.01, np.nan, 0.005],
    "particle_dz": [1.0, np.nan, -0.5],
    "particle_dz_err": [0.02, np.nan, 0.01],
    "particle_pixel_hits": [2, 3, 4],
    "particle_strip_hits": [9, 10, 16],
    "particle_pv": [1, 7, 7],
    "particle_sv": [2, 0, 1],
    "vertex_pt": [20.0],
    "vertex_deta": [0.0],
    "vertex_dphi": [-0.1],
    "vertex_mass": [4.0],
    "vertex_n_tracks": [3],
    "vertex_chi2_ndof": [1.25],
    "vertex_delta_2d": [3.0],
    "vertex_delta_2d_sig": [38.0],
    "vertex_delta_3d": [3.2],
    "vertex_delta_3d_sig": [40.0],
}
HALF = 2.0**-11  # half of the last of 11 bits


def catalogue_file(folder: Path, files: dict[str, list[str]], corrections: dict[str, Any] | None = None) -> Path:
    """A catalogue of background with some files each."""
    era = {"year": 2018, "luminosity": 1.0, "triggers": {"electron": [*ELECTRON_PATHS], "muon": [*MUON_PATHS]}}
    common = {"era": "era", "kind": "background", "process": "process", "cross_section": 1.0}
    datasets = [common | {"name": name, "files": some} for name, some in files.items()]
    content = {"eras": {"era": era | {"corrections": corrections or {}}}, "datasets": datasets}
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def selected(catalogue: Path, executor: str = "iterative") -> Output:
    out = catalogue.parent / f"out-{executor}"
    select.run(catalogue, out, execution=ExecutionOptions(executor, 2))
    return Output(out)


def test_known_particles(tmp_path: Path) -> None:
    write(tmp_path / "a.root", [event_with(5), event(6), event_with(2, same_sign=True)], PARTICLES)
    found = selected(catalogue_file(tmp_path, {NAME: ["a.root"]})).candidates(NAME, lists=True, weights="all")
    assert found.event.tolist() == [2, 5, 6]
    assert list(EXPECTED) == [column.name for column in LISTS]
    for name, values in EXPECTED.items():
        for i in (0, 1):
            assert found[name][i].tolist() == pytest.approx(values, rel=HALF, abs=1e-4, nan_ok=True), name
        expected = [] if name.startswith("particle") else values  # the third event stores none of its jet
        assert found[name][2].tolist() == pytest.approx(expected, rel=HALF, abs=1e-4), name
    assert found.particle_pt.type.content.content.content.primitive == "float32"


def test_fifty_particles_at_most(tmp_path: Path) -> None:
    """Those of the largest pt; in the order of the file where pt is the same."""
    rng = np.random.default_rng(1)
    pt = rng.permutation(np.repeat(np.arange(1, 31), 2)).astype(float)
    inside = [{"pt": p, **JET, "numberOfHits": i} for i, p in enumerate(pt)]
    links = [{"jetIdx": 0, "pFCandsIdx": i} for i in range(len(inside))]
    write(tmp_path / "a.root", [event(1, more={"PFCands": inside, "JetPFCands": links})], PARTICLES)
    found = selected(catalogue_file(tmp_path, {NAME: ["a.root"]})).candidates(
        columns=["particle_pt", "particle_strip_hits"]
    )
    order = sorted(range(len(pt)), key=lambda i: (-pt[i], i))[:50]
    assert found.particle_pt[0].tolist() == [pt[i] for i in order]
    assert found.particle_strip_hits[0].tolist() == [i - 3 for i in order]


def test_what_a_file_does_not_tell(tmp_path: Path) -> None:
    """PFNano without these branches: -1, and NaN."""
    names = ("dz", "dzErr", "numberOfHits", "pvAssocQuality", "svIdx")
    style = Style(particles=True, without=tuple(f"PFCands_{name}" for name in names))
    write(tmp_path / "a.root", [event_with(1)], style)
    (found,) = selected(catalogue_file(tmp_path, {NAME: ["a.root"]})).candidates(lists=True).tolist()
    assert found["particle_pixel_hits"] == [2, 3, 4]
    assert [found[f"particle_{name}"] for name in ("strip_hits", "pv", "sv")] == [[-1, -1, -1]] * 3
    assert np.isnan([found["particle_dz"], found["particle_dz_err"]]).all()


def test_files_without_particles(tmp_path: Path) -> None:
    """Nothing is written of them; a word says so; in a dataset of both kinds their rows have none."""
    write(tmp_path / "with.root", [event_with(1)], PARTICLES)
    write(tmp_path / "without.root", [event(2)], Style(skimmed=False))
    write(tmp_path / "other.root", [event(3)], Style(skimmed=False))
    out = selected(catalogue_file(tmp_path, {"both": ["with.root", "without.root"], "none": ["other.root"]}))
    assert [path.name[:5] for path in (out.folder / layout.PARTICLES).rglob("*.parquet")] == ["with-"]
    both = out.candidates("both", lists=True)
    assert ak.is_none(both.particle_pt).tolist() == [False, True]
    with pytest.raises(NoListsError, match=r"dataset none: its files do not keep the particles of jets \(PFCands"):
        out.candidates("none", lists=True)
    assert "particle_pt" not in out.candidates().fields


def test_variations_share_the_lists_of_a_jet(tmp_path: Path) -> None:
    """Each jet once, whatever number of variations has it; and each variation has the lists of its own jet."""
    import jet_corrections

    # A second jet nearer to l2, which only jes_up lifts over 20 GeV.
    near = {"pt": 19.9, "eta": -0.3, "phi": 2.81, "mass": 3.0}
    one = event_with(1)
    one["Jet"] = [one["Jet"][0], one["Jet"][1], near]
    one["PFCands"] = [*one["PFCands"], {"pt": 7.0, "eta": -0.3, "phi": 2.8}]
    one["JetPFCands"] = [*one["JetPFCands"], {"jetIdx": 2, "pFCandsIdx": 4}]
    write(tmp_path / "a.root", [one, event_with(2)], PARTICLES)
    jet_corrections.write(tmp_path / "jets.json")
    block = jet_corrections.block(Path("jets.json"))
    out = selected(catalogue_file(tmp_path, {NAME: ["a.root"]}, block))
    columns = ["event", "variation", "jet_index", "jet_pt", "particle_pt"]
    rows = out.candidates(variation="all", columns=columns).tolist()
    assert len(rows) > 4
    of_jet = {0: [16, 4, 2], 2: [7]}
    assert {row["jet_index"] for row in rows if row["event"] == 1} == {0, 2}
    assert all(row["particle_pt"] == of_jet[row["jet_index"]] for row in rows)
    (path,) = (out.folder / layout.PARTICLES / NAME).glob("*.parquet")
    table = pq.read_table(path, columns=["event", "jet_index"])
    assert table.to_pydict() == {"event": [1, 1, 2], "jet_index": [0, 2, 0]}


def test_whatever_the_executor(tmp_path: Path) -> None:
    """And however the file is cut: the same bytes, the same lists."""
    write(tmp_path / "a.root", [event_with(i, same_sign=i % 2 == 0) for i in range(20)], PARTICLES)
    catalogue = catalogue_file(tmp_path, {NAME: ["a.root"]})
    alone, others = selected(catalogue), selected(catalogue, "local")
    for path in alone.folder.rglob("particles/**/*.parquet"):
        assert path.read_bytes() == (others.folder / path.relative_to(alone.folder)).read_bytes()
    lists = [chain.process(catalogue_of(tmp_path / "a.root"), per_unit)["lists"] for per_unit in (99, 3)]
    for name, values in lists[0].items():
        np.testing.assert_array_equal(values.value, lists[1][name].value)


def test_taken_with_the_candidates(tmp_path: Path) -> None:
    """From another selection: the same lists, to the bit; a damaged file of them is refused."""
    write(tmp_path / "a.root", [event_with(1), event_with(2)], PARTICLES)
    catalogue = catalogue_file(tmp_path, {NAME: ["a.root"]})
    done = selected(catalogue)
    content = yaml.safe_load(catalogue.read_text())
    content["datasets"][0] = content["datasets"][0] | {"candidates": str(done.folder)}
    del content["datasets"][0]["files"]
    catalogue.write_text(yaml.safe_dump(content))
    (tmp_path / "a.root").unlink()
    select.run(catalogue, tmp_path / "taken", execution=ExecutionOptions("iterative"))
    assert comparison.compare(done.folder, tmp_path / "taken")[1] == []
    (path,) = (done.folder / layout.PARTICLES / NAME).glob("*.parquet")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(planning.BadFilesError, match=r"particles/.* is not the file that its manifest describes"):
        select.run(catalogue, tmp_path / "again", execution=ExecutionOptions("iterative"))


def test_a_difference_of_lists_is_found(tmp_path: Path) -> None:
    """Of one particle in one event."""
    outs = []
    for pt in (2.0, 3.0):
        (tmp_path / str(pt)).mkdir()
        event = event_with(1)
        event["PFCands"][3]["pt"] = pt
        write(tmp_path / str(pt) / "a.root", [event], PARTICLES)
        outs.append(selected(catalogue_file(tmp_path / str(pt), {NAME: ["a.root"]})).folder)
    compared, found = comparison.compare(*outs)
    assert f"{layout.PARTICLES}/{NAME}" in compared
    assert "particle_pt: other lists" in [d.what for d in found if d.product == f"{layout.PARTICLES}/{NAME}"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.root", [event_with(1)], PARTICLES)
    out = selected(catalogue_file(tmp_path, {NAME: ["a.root"]}))
    (path,) = (out.folder / layout.PARTICLES / NAME).glob("*.parquet")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    assert len(out.candidates()) == 1  # who does not want lists does not read them
    with pytest.raises(parts.PartError, match="is not the file that its manifest describes"):
        out.candidates(lists=True)
    path.unlink()
    with pytest.raises(parts.PartError, match="is missing"):
        selection.load(out.folder)


def test_tables_for_other_tools(tmp_path: Path) -> None:
    """pandas has an array a row; the file itself says what it holds in which unit."""
    write(tmp_path / "a.root", [event_with(1), event(2)], PARTICLES)
    out = selected(catalogue_file(tmp_path, {NAME: ["a.root"]}))
    frame = out.table(columns=["event", "particle_d0", "particle_type"]).to_pandas()
    assert frame.particle_type[0].tolist() == [11, 22, 211]
    assert frame.particle_d0[0].dtype == np.float32
    (path,) = (out.folder / layout.PARTICLES / NAME).glob("*.parquet")
    field = pq.read_schema(path).field("particle_d0")
    assert field.metadata[b"unit"] == b"cm"
    assert str(field.type) == "list<element: halffloat not null>"
