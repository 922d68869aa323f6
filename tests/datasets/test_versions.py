"""Which version of NanoAOD a file is, by its branches."""

from pathlib import Path

import pytest
import uproot

from hnl.datasets.versions import COLLECTIONS, version

V9 = {*COLLECTIONS, "SV_dxySig", "SV_ntracks", "SV_charge", "Jet_jetId"}
V13 = V9 | {"Electron_mvaIso_WP90", "Muon_svIdx", "Jet_btagPNetB", "Jet_chMultiplicity"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({*COLLECTIONS, "Jet_jetId"}, "v5 or older"),
        ({*COLLECTIONS, "Jet_jetId", "SV_dxySig"}, "v6-v7"),
        (V9, "v9"),
        (V13, "v13"),
        (V13 | {"PV_sumpx"}, "v14"),
        ((V13 | {"PV_sumpx"}) - {"Jet_jetId"}, "v15 or later"),
        # Branches were dropped: nothing is known of what the file might have had beside them.
        (V13 - {"SV_charge"}, "v13 or later"),
        (V9 - {"SV_ntracks"}, "v9 or later"),
        (V9 - {"Jet_jetId"}, "v9"),
        # Scouting: no jet ID either, which does not make it v15.
        ({"ScoutingPFJet_pt", "ScoutingMuonVtx_pt", "SV_dxySig"}, "unknown"),
        (V13 - {"Electron_pt"}, "unknown"),
        (set(), "unknown"),
    ],
)
def test_versions(names: set[str], expected: str) -> None:
    assert version(names) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Content of v6 or v7: the vertex's dxy, the selection bits of HEEP and photons of muons came with v6.
        ("more/data_v2_2016", "v6-v7"),
        ("data_v5_dimuon", "v6-v7"),
        ("more/mc_v7_dy_2018", "v6-v7"),
        # No charge of the vertex, and the electron IDs that v9 dropped (mvaFall17V1Iso): v8.
        ("mc_v9_dy_2017", "v8"),
        ("more/data_v11_egamma_2022", "v11"),
        ("data_v13_egamma_2022", "v13"),
        ("more/mc_v13_ggh_2022", "v13"),
    ],
)
def test_real_files(name: str, expected: str, real_nanoaod: Path) -> None:
    """Files made by CMS software; names are those of the files, not always of their content."""
    with uproot.open(real_nanoaod / f"{name}.root") as file:
        names = set(file["Events"].keys())
    assert version(names) == expected
    # Independent signs of the same: what pull requests 28122 (v6) and 33701 (v9) brought and removed.
    assert {"Electron_vidNestedWPBitmapHEEP", "FsrPhoton_pt"} <= names
    assert ("Electron_mvaFall17V1Iso" in names) == (expected in ("v6-v7", "v8"))
