"""The paper's selection once more: one event at a time, plain Python over plain lists, nothing shared with `hnl`.

It is here to disagree with the product if one of the two is wrong. It takes every number from the paper (Tables 1 and
2, sections 2 and 4) or, where the paper leaves a choice, from the project's documented choices.
"""

import json
import math
from pathlib import Path
from typing import Any

import uproot

STAGES = (
    "certified luminosity section",
    "single-lepton trigger",
    "N(prompt l1) = 1",
    "l1 matched to HLT",
    "N(nonprompt l2) = 1",
    "N(jets) >= 1",
    "Delta R(l2, jet) < 0.7",
    "l2 in SV",
    "m(l1, l2) > 10 GeV",
    "|Delta phi(l1, l2)| > 0.4",
    "m(mumu) outside 85-95 GeV",
    "N(jets) = 1",
)
COLLECTIONS = {
    "Electron": "pt eta phi mass charge dxy dz pfRelIso03_all vidNestedWPBitmap svIdx",
    "Muon": "pt eta phi mass charge dxy dz pfRelIso03_all mediumId looseId isGlobal segmentComp svIdx",
    "Jet": "pt eta phi jetId neHEF neEmEF chHEF chMultiplicity neMultiplicity",
    "SV": "pt eta phi mass x y z dlenSig dxySig",
    "TrigObj": "eta phi id filterBits",
}


def select(
    path: Path,
    *,
    year: int,
    electron_paths: tuple[str, ...],
    muon_paths: tuple[str, ...],
    is_data: bool = False,
    stream: tuple[str, ...] = ("electron", "muon"),
    veto: tuple[str, ...] = (),
    golden_json: Path | None = None,
) -> list[dict[str, Any]]:
    """One dict per event of the file: weight, passed {stage: bool}, category (None without a pair), candidate."""
    golden = json.loads(golden_json.read_text()) if golden_json else None
    results = []
    for event in read(path, electron_paths + muon_paths):
        fired = {"electron": any(event[p] for p in electron_paths), "muon": any(event[p] for p in muon_paths)}
        certified = golden is None or not is_data or is_good(event["run"], event["luminosityBlock"], golden)
        recorded = any(fired[s] for s in stream) and not any(fired[s] for s in veto)
        event["filter bits"] = filter_bits(event["title of the filter bits"], year)
        results.append(one_event(event, year, fired, certified, recorded))
    return results


def read(path: Path, trigger_paths: tuple[str, ...]) -> list[dict[str, Any]]:
    """All events of a file; collections are lists of dicts."""
    with uproot.open(path) as file:
        tree = file["Events"]
        names = set(tree.keys())
        columns = {}
        for branch in ("run", "luminosityBlock", "event", "genWeight", "PV_x", "PV_y", "PV_z", *trigger_paths):
            if branch in names:
                columns[branch] = tree[branch].array(library="ak").to_list()
        collections: dict[str, dict[str, list[list[Any]]]] = {}
        for collection, fields in COLLECTIONS.items():
            wanted = {field: f"{collection}_{field}" for field in fields.split()}
            if collection == "Electron":
                for mva in ("mvaFall17Iso_WP90", "mvaFall17V2Iso_WP90", "mvaIso_WP90"):  # the last one wins
                    if f"Electron_{mva}" in names:
                        wanted["mva90"] = f"Electron_{mva}"
            collections[collection] = {
                field: tree[branch].array(library="ak").to_list() for field, branch in wanted.items() if branch in names
            }
        number_of_events = tree.num_entries
        title = tree["TrigObj_filterBits"].title
    events = []
    for i in range(number_of_events):
        event: dict[str, Any] = {branch: values[i] for branch, values in columns.items()}
        for collection, fields in collections.items():
            size = len(fields["eta"][i])
            event[collection] = [{f: values[i][k] for f, values in fields.items()} for k in range(size)]
        for electron in event["Electron"]:
            electron["flavour"] = "e"
        for muon in event["Muon"]:
            muon["flavour"] = "mu"
        both = {"Electron_svIdx", "Muon_svIdx"} <= names
        event["vertices know their tracks"] = both
        event["title of the filter bits"] = title
        events.append(event)
    return events


def is_good(run: int, section: int, golden: dict[str, list[list[int]]]) -> bool:
    """Whether the golden JSON lists a luminosity section."""
    return any(first <= section <= last for first, last in golden.get(str(run), []))


def delta_phi(a: dict[str, Any], b: dict[str, Any]) -> float:
    """The angle from b to a, -pi to pi."""
    difference = float(a["phi"] - b["phi"])
    while difference > math.pi:
        difference -= 2 * math.pi
    while difference < -math.pi:
        difference += 2 * math.pi
    return difference


def delta_r(a: dict[str, Any], b: dict[str, Any]) -> float:
    """Section 4: the root of the squares of the differences in eta and phi."""
    return math.sqrt((a["eta"] - b["eta"]) ** 2 + delta_phi(a, b) ** 2)


def invariant_mass(a: dict[str, Any], b: dict[str, Any]) -> float:
    """Of two particles, GeV, by adding their four-momenta."""
    total = [0.0, 0.0, 0.0, 0.0]
    for p in (a, b):
        px, py, pz = p["pt"] * math.cos(p["phi"]), p["pt"] * math.sin(p["phi"]), p["pt"] * math.sinh(p["eta"])
        energy = math.sqrt(px * px + py * py + pz * pz + p["mass"] * p["mass"])
        total = [t + c for t, c in zip(total, (energy, px, py, pz), strict=True)]
    square = total[0] ** 2 - total[1] ** 2 - total[2] ** 2 - total[3] ** 2
    return math.sqrt(max(square, 0.0))


def is_prompt_electron(e: dict[str, Any], year: int) -> bool:
    """Table 1, first column."""
    threshold = 30 if year == 2016 else 34
    if e["pt"] <= threshold or abs(e["eta"]) >= 2.5:
        return False
    if e["pfRelIso03_all"] >= 0.1:
        return False
    if abs(e["dxy"]) >= 0.02 or abs(e["dz"]) >= 0.04:
        return False
    return bool(e["mva90"])


def is_prompt_muon(mu: dict[str, Any]) -> bool:
    """Table 1, second column."""
    if mu["pt"] <= 30 or abs(mu["eta"]) >= 2.4:
        return False
    if mu["pfRelIso03_all"] >= 0.1:
        return False
    if abs(mu["dxy"]) >= 0.01 or abs(mu["dz"]) >= 0.1:
        return False
    return bool(mu["mediumId"])


def is_nonprompt_electron(e: dict[str, Any]) -> bool:
    """Table 1, third column: loose (90 %) sequential ID without isolation, conversion veto, missing hits."""
    if e["pt"] <= 7 or abs(e["eta"]) >= 2.5 or abs(e["dxy"]) <= 0.02 or abs(e["dz"]) >= 10:
        return False
    bits = format(e["vidNestedWPBitmap"] & 0x3FFFFFFF, "030b")
    levels = [int(bits[27 - 3 * i : 30 - 3 * i], 2) for i in range(10)]
    pt, sc_eta, deta, dphi, sieie, hoe, ep, _isolation, _conversion, _hits = levels
    return min(pt, sc_eta, deta, dphi, sieie, hoe, ep) >= 2


def is_nonprompt_muon(mu: dict[str, Any]) -> bool:
    """Table 1, fourth column: medium ID without valid hits and quality of the global fit."""
    if mu["pt"] <= 7 or abs(mu["eta"]) >= 2.4 or abs(mu["dxy"]) <= 0.02 or abs(mu["dz"]) >= 10:
        return False
    if not mu["looseId"]:
        return False
    needed = 0.303 if mu["isGlobal"] else 0.451
    return bool(mu["segmentComp"] > needed)


def is_good_jet(jet: dict[str, Any]) -> bool:
    """Section 2: kinematics and the tight jet ID, recomputed where NanoAOD (v15) does not keep it."""
    if jet["pt"] <= 20 or abs(jet["eta"]) >= 2.4:
        return False
    if "jetId" in jet:
        return jet["jetId"] // 2 % 2 == 1
    if jet["neHEF"] >= 0.99 or jet["neEmEF"] >= 0.9 or jet["chHEF"] <= 0.01:
        return False
    return jet["chMultiplicity"] > 0 and jet["chMultiplicity"] + jet["neMultiplicity"] > 1


def filter_bits(title: str, year: int) -> dict[str, list[set[int]]]:
    """Sets of bit numbers by flavour: an object that has all of one set fired a trigger of one isolated lepton."""
    numbers: dict[str, dict[str, int]] = {}
    for section in title.split(";"):
        if " for " not in section:
            continue
        names, _, kind = section.rpartition(" for ")
        numbers[kind.split("(")[0].strip()] = known = {}
        for entry in names.split(","):
            if "=>" in entry:  # a position
                number, name = entry.split("=>", 1)
                known[name.strip()] = int(number.split()[-1])
            elif "=" in entry:  # a value
                number, name = entry.split("=", 1)
                value = int(number.split()[-1])
                known[name.strip()] = value.bit_length() - 1
    if not any(numbers.values()):  # no titles: as CMS documents its menus
        return {"e": [{1}], "mu": [{1}, {3}] if year == 2016 else [{1, 3}]}
    electron, muon = numbers["Electron"], numbers["Muon"]
    single_muon = [{muon["Iso"], muon["1mu"]}] if "1mu" in muon else [{muon["Iso"]}, {muon["IsoTkMu"]}]
    return {"e": [{electron["1e (WPTight)"]}], "mu": single_muon}


def is_matched(l1: dict[str, Any], event: dict[str, Any], fired: dict[str, bool]) -> bool:
    """Section 4: l1 is the lepton of the HLT."""
    if not fired["electron" if l1["flavour"] == "e" else "muon"]:
        return False
    for candidate in event["TrigObj"]:
        if candidate["id"] != (11 if l1["flavour"] == "e" else 13) or delta_r(candidate, l1) >= 0.1:
            continue
        has = {number for number in range(32) if candidate["filterBits"] // 2**number % 2 == 1}
        if any(needed <= has for needed in event["filter bits"][l1["flavour"]]):
            return True
    return False


def distance_to_track(vertex: dict[str, Any], l2: dict[str, Any], event: dict[str, Any]) -> float:
    """Of a vertex to the helix of l2 in 3.8 T, cm: by the circle's centre, in which the lepton turns clockwise if it is
    positive, and the height at the angle of the vertex."""
    phi, clockwise = l2["phi"], l2["charge"]
    radius = 100 * l2["pt"] / (0.299792458 * 3.8)
    start = event["PV_x"] - l2["dxy"] * math.sin(phi), event["PV_y"] + l2["dxy"] * math.cos(phi)
    centre = start[0] + clockwise * radius * math.sin(phi), start[1] - clockwise * radius * math.cos(phi)
    x, y = vertex["x"] - centre[0], vertex["y"] - centre[1]
    transverse = math.sqrt(x * x + y * y) - radius
    angle_at_start = math.atan2(start[1] - centre[1], start[0] - centre[0])
    turned = math.remainder(clockwise * (angle_at_start - math.atan2(y, x)), 2 * math.pi)
    z = event["PV_z"] + l2["dz"] + radius * turned * math.sinh(l2["eta"])
    sin_theta = 2 / (math.exp(l2["eta"]) + math.exp(-l2["eta"]))
    return math.sqrt(transverse**2 + ((vertex["z"] - z) * sin_theta) ** 2)


def vertex_of(l2: dict[str, Any], event: dict[str, Any]) -> dict[str, Any] | None:
    """The vertex nearest to the track of l2, among those of the table that svIdx allows where there is one."""
    best, least = None, math.inf
    limit = 0.03 if event["vertices know their tracks"] else 0.01
    for number, vertex in enumerate(event["SV"]):
        if event["vertices know their tracks"] and number > l2["svIdx"]:
            break
        flight = math.sqrt(sum((vertex[c] - event[f"PV_{c}"]) ** 2 for c in "xyz"))
        distance = distance_to_track(vertex, l2, event)
        if distance < limit + 0.005 * flight and distance < least:
            best, least = vertex, distance
    return best


def hardest(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The first of those with the highest pt."""
    best = objects[0]
    for other in objects[1:]:
        if other["pt"] > best["pt"]:
            best = other
    return best


def one_event(
    event: dict[str, Any], year: int, fired: dict[str, bool], certified: bool, recorded: bool
) -> dict[str, Any]:
    """Section 4, in its order."""
    passed = dict.fromkeys(STAGES, False)
    result = {"weight": event.get("genWeight", 1.0), "passed": passed, "category": None, "candidate": None}
    passed["certified luminosity section"] = certified
    passed["single-lepton trigger"] = recorded
    prompt = [e for e in event["Electron"] if is_prompt_electron(e, year)]
    prompt += [mu for mu in event["Muon"] if is_prompt_muon(mu)]
    nonprompt = [e for e in event["Electron"] if is_nonprompt_electron(e)]
    nonprompt += [mu for mu in event["Muon"] if is_nonprompt_muon(mu)]
    passed["N(prompt l1) = 1"] = len(prompt) == 1
    if not prompt:
        return result
    l1 = hardest(prompt)
    passed["l1 matched to HLT"] = is_matched(l1, event, fired)
    if not nonprompt:
        return result
    l2 = hardest(nonprompt)
    passed["N(nonprompt l2) = 1"] = len(nonprompt) == 1
    sign = "SS" if l1["charge"] == l2["charge"] else "OS"
    result["category"] = f"{l1['flavour']}{l2['flavour']}_{sign}"

    good_jets = [jet for jet in event["Jet"] if is_good_jet(jet)]
    n_jets = 0
    if good_jets:
        passed["N(jets) >= 1"] = True
        nearest = min(good_jets, key=lambda jet: delta_r(jet, l2))
        passed["Delta R(l2, jet) < 0.7"] = delta_r(nearest, l2) < 0.7
        n_jets = 1 + sum(1 for jet in good_jets if jet is not nearest and delta_r(jet, l1) > 0.4)
    passed["N(jets) = 1"] = n_jets == 1

    vertex = vertex_of(l2, event)
    passed["l2 in SV"] = vertex is not None and vertex["dlenSig"] > 0.5 and vertex["dxySig"] > 2.5

    mass = invariant_mass(l1, l2)
    passed["m(l1, l2) > 10 GeV"] = mass > 10
    passed["|Delta phi(l1, l2)| > 0.4"] = abs(delta_phi(l1, l2)) > 0.4
    passed["m(mumu) outside 85-95 GeV"] = not (result["category"] == "mumu_OS" and 85 <= mass <= 95)

    if all(good for stage, good in passed.items() if stage != "N(jets) = 1"):
        assert vertex is not None
        result["candidate"] = {
            "run": event["run"],
            "luminosity_block": event["luminosityBlock"],
            "event": event["event"],
            "n_jets": n_jets,
            "category": result["category"],
            "m_l1_sv": invariant_mass(l1, vertex),
            "m_l1_l2": mass,
            "m_sv": vertex["mass"],
            "jet_pt": nearest["pt"],
            "l2_dxy": l2["dxy"],
        }
    return result


def cutflow(results: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Events after each stage: all, and by category from the nonprompt lepton on."""
    counts: dict[str, dict[str, int]] = {"all events": {"all": len(results)}}
    left = results
    for i, stage in enumerate(STAGES):
        left = [r for r in left if r["passed"][stage]]
        counts[stage] = count(left, by_category=i >= STAGES.index("N(nonprompt l2) = 1"))
    return counts


def n_minus_one(results: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Events that pass all stages but perhaps one."""
    return {
        stage: count([r for r in results if all(r["passed"][s] for s in STAGES if s != stage)], by_category=True)
        for stage in STAGES
    }


def count(results: list[dict[str, Any]], *, by_category: bool) -> dict[str, int]:
    """Number of events, by category too."""
    counts = {"all": len(results)}
    if by_category:
        for flavours in ("ee", "mumu", "emu", "mue"):
            for sign in ("OS", "SS"):
                name = f"{flavours}_{sign}"
                counts[name] = sum(1 for r in results if r["category"] == name)
    return counts
