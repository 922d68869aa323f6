"""The version of NanoAOD of a file, as far as its branches tell. For display only.

Files do not record it: the `tag` of real ones is 'untagged', and the provenance is gone after a skim.
"""

from collections.abc import Collection

# First branch of each version, among those of the collections below and of PV. From CMSSW's pull requests: 28122 (v6),
# 31696 (v8), 33075 (v9), 38355 (v10), 40162 (v11), 40745 (v12), 42728 (v13), 44285 (v14). No new branch is known for
# v7.
FIRST = {
    6: "SV_dxySig",
    8: "SV_ntracks",
    9: "SV_charge",
    10: "Electron_mvaIso_WP90",
    11: "Muon_svIdx",
    12: "Jet_btagPNetB",
    13: "Jet_chMultiplicity",
    14: "PV_sumpx",
}
LAST_WITH_JET_ID = 14  # pull request 46085
COLLECTIONS = ("Electron_pt", "Muon_pt", "Jet_pt", "SV_pt")  # scouting and custom files may lack them


def version(names: Collection[str]) -> str:
    """The version: 'v9', 'v6-v7', 'v15 or later', 'v5 or older', or 'unknown' for files that are not NanoAOD of CMS.

    A file that lacks the branch of an older version has lost branches. Its version is then a lower limit, from the
    newest branch that it has ('v11 or later').
    """
    if not all(branch in names for branch in COLLECTIONS):
        return "unknown"
    versions = (*FIRST, LAST_WITH_JET_ID + 1)
    present = [number for number, branch in FIRST.items() if branch in names]
    if FIRST[13] in names and "Jet_jetId" not in names:
        present.append(LAST_WITH_JET_ID + 1)
    absent = [number for number in versions if number not in present]
    if not present:
        return "v5 or older"
    oldest = max(present)
    if not absent or min(absent) < oldest:
        return f"v{oldest} or later"
    newest = min(absent) - 1
    return f"v{oldest}" if oldest == newest else f"v{oldest}-v{newest}"
