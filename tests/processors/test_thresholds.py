"""Every requirement of Tables 1 and 2 on both sides of its threshold: hand-made files through the whole processor.

Each event weighs another power of two, so the weight sum of a stage tells which events passed it.
"""

from dataclasses import dataclass, field
from functools import cache
from math import cos, cosh, dist, pi, sin
from pathlib import Path
from typing import Any

import pytest
from chain import catalogue_of, process
from nanoaod_events import STYLES, TIGHT, Event, bitmap, event, flight, on_track, pt_for_mass, wrap, write

TRIGGER = "single-lepton trigger"
PROMPT = "N(prompt l1) = 1"
HLT = "l1 matched to HLT"
NONPROMPT = "N(nonprompt l2) = 1"
JETS = "N(jets) >= 1"
DELTA_R = "Delta R(l2, jet) < 0.7"
IN_SV = "l2 in SV"
MASS = "m(l1, l2) > 10 GeV"
DELTA_PHI = "|Delta phi(l1, l2)| > 0.4"
DY_VETO = "m(mumu) outside 85-95 GeV"
ONE_JET = "N(jets) = 1"
PAIR = (JETS, DELTA_R, IN_SV, MASS, DELTA_PHI, DY_VETO)

BELOW, ABOVE = 1 - 1e-3, 1 + 1e-3
PER_FILE = 40  # powers of two that a sum of doubles keeps apart, with room


@dataclass(frozen=True)
class Case:
    """One event, and the one requirement that it fails, if any."""

    name: str
    event: Event
    fails: str | None = None
    year: int = 2018
    style: str = "v12"
    expect: dict[str, Any] = field(default_factory=dict)  # columns of the candidate


def both_sides(name: str, make: Any, threshold: float, stage: str, *, keep: str, **how: Any) -> list[Case]:
    """Two cases per threshold: `make` builds the event from the value; `keep` says which side passes."""
    return [
        Case(f"{name} {side} {threshold:g}", make(threshold * factor), None if side == keep else stage, **how)
        for side, factor in (("below", BELOW), ("above", ABOVE))
    ]


def prompt_cases() -> list[Case]:
    """Table 1, columns 'Prompt', and the years' thresholds."""
    cases = []
    limits = {
        "e": {"pt": (34, "above"), "eta": (2.5, "below"), "dxy": (0.02, "below"), "dz": (0.04, "below")},
        "mu": {"pt": (30, "above"), "eta": (2.4, "below"), "dxy": (0.01, "below"), "dz": (0.1, "below")},
    }
    for flavour, cuts in limits.items():
        for column, (threshold, keep) in (cuts | {"pfRelIso03_all": (0.1, "below")}).items():
            for sign in (1, -1) if column in ("eta", "dxy", "dz") else (1,):

                def make(value: float, column: str = column, flavour: str = flavour, sign: int = sign) -> Event:
                    # |dxy| > 0.02 would make it a nonprompt lepton: here only its ID may not.
                    other = {"vidNestedWPBitmap": 0} if flavour == "e" else {}
                    return event(l1_flavour=flavour, l2_flavour="e", l1={column: sign * value} | other)

                cases += both_sides(f"prompt {flavour} {sign:+d} {column}", make, threshold, PROMPT, keep=keep)
        full_id = {"e": "mva", "mu": "mediumId"}[flavour]
        cases.append(
            Case(f"prompt {flavour} without {full_id}", event(l1_flavour=flavour, l1={full_id: False}), PROMPT)
        )
        exactly = event(l1_flavour=flavour, l1={"pt": limits[flavour]["pt"][0]})
        cases.append(Case(f"prompt {flavour} pt at its threshold", exactly, PROMPT))
    for year, threshold in ((2016, 30), (2017, 34), (2022, 34)):
        cases += both_sides(
            f"prompt electron pt in {year}",
            lambda pt: event(l1_flavour="e", l2_flavour="mu", l1={"pt": pt}),
            threshold,
            PROMPT,
            keep="above",
            year=year,
        )
        cases += both_sides(
            f"prompt muon pt in {year}", lambda pt: event(l1={"pt": pt}), 30, PROMPT, keep="above", year=year
        )
    other_ids = {"looseId": False, "isGlobal": False, "segmentComp": 0.0}
    cases += [
        Case("prompt muon: the reduced ID does not matter", event(l1=other_ids)),
        Case(
            "prompt electron: the sequential ID does not matter",
            event(l1_flavour="e", l1={"vidNestedWPBitmap": 0}),
        ),
        Case("second prompt muon", event(more={"Muon": [{"pt": 31.0, "phi": -1.0}]}), PROMPT),
        Case("second prompt electron", event(more={"Electron": [{"pt": 35.0, "phi": -1.0}]}), PROMPT),
        Case("second prompt muon, harder", event(more={"Muon": [{"pt": 90.0, "phi": -1.0}]}), PROMPT),
        Case("second muon too soft", event(more={"Muon": [{"pt": 29.0, "phi": -1.0}]})),
        Case("second electron too soft", event(more={"Electron": [{"pt": 33.0, "phi": -1.0}]})),
        Case("second electron in 2016", event(more={"Electron": [{"pt": 33.0, "phi": -1.0}]}), PROMPT, 2016),
        Case("second muon between prompt and nonprompt", event(more={"Muon": [{"pt": 60.0, "dxy": 0.015}]})),
    ]
    return cases


def nonprompt_cases() -> list[Case]:
    """Table 1, columns 'Nonprompt', apart from the bits of the electron ID."""
    cases = []
    for flavour, max_eta in (("e", 2.5), ("mu", 2.4)):
        limits = {"pt": (7, "above"), "eta": (max_eta, "below"), "dxy": (0.02, "above"), "dz": (10, "below")}
        for column, (threshold, keep) in limits.items():
            for sign in (1, -1) if column != "pt" else (1,):

                def make(value: float, column: str = column, flavour: str = flavour, sign: int = sign) -> Event:
                    jet = {"eta": 2.3 * sign} if column == "eta" else {}
                    return event(l1_flavour="e", l2_flavour=flavour, l2={column: sign * value}, jet=jet)

                cases += both_sides(f"nonprompt {flavour} {sign:+d} {column}", make, threshold, NONPROMPT, keep=keep)
        exactly = event(l2_flavour=flavour, l2={"pt": 7.0})
        cases.append(Case(f"nonprompt {flavour} pt at its threshold", exactly, NONPROMPT))
        isolation = event(l2_flavour=flavour, l2={"pfRelIso03_all": 50.0})
        cases.append(Case(f"nonprompt {flavour} is not isolated", isolation))
    for is_global, threshold in ((True, 0.303), (False, 0.451)):
        cases += both_sides(
            f"nonprompt muon, global {is_global}, segmentComp",
            lambda value, is_global=is_global: event(l2_flavour="mu", l2={"segmentComp": value, "isGlobal": is_global}),
            threshold,
            NONPROMPT,
            keep="above",
        )
    second = {"pt": 8.0, "dxy": 0.03, "phi": 1.0}
    return [
        *cases,
        Case("nonprompt muon without the loose ID", event(l2_flavour="mu", l2={"looseId": False}), NONPROMPT),
        Case("nonprompt muon with the medium ID too", event(l2_flavour="mu", l2={"mediumId": True})),
        Case("nonprompt electron with the multivariate ID too", event(l2={"mva": True})),
        Case("second nonprompt muon", event(more={"Muon": [second]}), NONPROMPT),
        Case("second nonprompt electron", event(more={"Electron": [second]}), NONPROMPT),
        Case("second nonprompt electron, harder", event(more={"Electron": [second | {"pt": 80.0}]}), NONPROMPT),
        Case("second nonprompt muon too soft", event(more={"Muon": [second | {"pt": 6.9}]})),
        Case("no nonprompt lepton", event(l2={"pt": 1.0}), NONPROMPT),
    ]


def electron_id_cases() -> list[Case]:
    """The sequential ID cut by cut. Isolation (7), conversion veto (8) and missing hits (9) are not asked for."""
    cases = []
    for cut in range(10):
        for point in range(5):
            points = [4] * 10
            points[cut] = point
            fails = NONPROMPT if cut < 7 and point < 2 else None
            bits = bitmap(points)
            cases.append(
                Case(
                    f"electron ID cut {cut} passes working point {point}",
                    event(l2={"vidNestedWPBitmap": bits}),
                    fails,
                )
            )
    only_asked = bitmap([2] * 7 + [0] * 3)
    cases += [
        Case("electron ID: loose, without the three", event(l2={"vidNestedWPBitmap": only_asked})),
        Case("electron ID: nothing", event(l2={"vidNestedWPBitmap": 0}), NONPROMPT),
        Case(
            "electron ID: only the three",
            event(l2={"vidNestedWPBitmap": bitmap([0] * 7 + [4] * 3)}),
            NONPROMPT,
        ),
    ]
    return cases


def trigger_cases() -> list[Case]:
    """Section 4: l1 matches the HLT lepton of the trigger that fired."""
    electron, muon = "HLT_Ele27_WPTight_Gsf", "HLT_IsoMu24"
    e = {"l1_flavour": "e", "l2_flavour": "mu"}
    good = {"pt": 50.0, "eta": 0.5, "phi": 0.3, "id": 13, "filterBits": 10}
    cases = [
        Case("no path fired", event(hlt={}), TRIGGER),
        Case("only a path outside the catalogue fired", event(hlt={"HLT_Mu50": True}), TRIGGER),
        Case("the other muon path fired", event(hlt={"HLT_IsoTkMu24": True})),
        Case("the other electron path fired", event(**e, hlt={"HLT_Ele32_WPTight_Gsf": True})),
        Case("both flavours fired", event(hlt={muon: True, electron: True})),
        Case("muon l1, electron path fired", event(hlt={electron: True}), HLT),
        Case("electron l1, muon path fired", event(**e, hlt={muon: True}), HLT),
        Case("muon l1, HLT electron", event(hlt_object={"id": 11}, hlt={muon: True, electron: True}), HLT),
        Case("electron l1, HLT muon", event(**e, hlt_object={"id": 13, "filterBits": 255}), HLT),
        Case("electron l1, HLT photon", event(**e, hlt_object={"id": 22}), HLT),
        Case("muon without bits", event(hlt_object={"filterBits": 0}), HLT),
        Case("muon isolated, not of the single-muon path", event(hlt_object={"filterBits": 2 + 16}), HLT),
        Case("muon of a single-muon path, not isolated", event(hlt_object={"filterBits": 8 + 1024}), HLT),
        Case("muon with further bits", event(hlt_object={"filterBits": 2 + 8 + 64})),
        Case("electron WPTight with further bits", event(**e, hlt_object={"filterBits": 1 + 2 + 4})),
        Case("electron without WPTight", event(**e, hlt_object={"filterBits": 1 + 4 + 16 + 1024}), HLT),
        Case("no HLT object", event() | {"TrigObj": []}, HLT),
        Case(
            "far HLT muon and near HLT electron",
            event(hlt_object={"id": 11}, more={"TrigObj": [good | {"phi": 1.0}]}),
            HLT,
        ),
        Case(
            "near object without bits, far one with",
            event(hlt_object={"filterBits": 2}, more={"TrigObj": [good | {"eta": 1.0}]}),
            HLT,
        ),
        Case("the second object matches", event(hlt_object={"filterBits": 2}, more={"TrigObj": [good]})),
    ]
    for sign in (1, -1):
        cases += both_sides(
            f"HLT Delta R in {sign:+d} eta",
            lambda dr, sign=sign: event(hlt_object={"eta": 0.5 + sign * dr}),
            0.1,
            HLT,
            keep="below",
        )
    cases += both_sides(
        "HLT Delta R across pi",
        lambda dr: event(l1={"phi": 3.11}, l2={"phi": 0.0}, hlt_object={"eta": 0.5, "phi": wrap(3.11 + dr)}),
        0.1,
        HLT,
        keep="below",
    )
    return cases


def jet_cases() -> list[Case]:
    """Section 2, jets, and section 4: the jet of l2, further jets."""
    far = {"pt": 25.0, "eta": -1.5, "phi": -1.0}
    cases = both_sides("jet pt", lambda pt: event(jet={"pt": pt}), 20, JETS, keep="above")
    cases.append(Case("jet pt at its threshold", event(jet={"pt": 20.0}), JETS))
    for sign in (1, -1):
        cases += both_sides(
            f"jet {sign:+d} eta",
            lambda eta, sign=sign: event(l2={"eta": 2.2 * sign}, jet={"eta": sign * eta}),
            2.4,
            JETS,
            keep="below",
        )
    for bits, passes in ((0, False), (1, False), (2, True), (3, True), (4, False), (6, True), (7, True)):
        cases.append(Case(f"jet ID {bits}", event(jet={"jetId": bits}), None if passes else JETS))
    cases.append(Case("no jet at all", event() | {"Jet": []}, JETS))
    for name, direction in (
        ("eta", lambda dr: {"eta": -0.3 + dr, "phi": 2.8}),
        ("phi, across pi", lambda dr: {"eta": -0.3, "phi": wrap(2.8 + dr)}),
        ("eta and phi", lambda dr: {"eta": -0.3 - 0.6 * dr, "phi": 2.8 - 0.8 * dr}),
    ):
        cases += both_sides(
            f"Delta R(l2, jet) in {name}",
            lambda dr, direction=direction: event(jet=direction(dr)),
            0.7,
            DELTA_R,
            keep="below",
        )
    two, three = {"n_jets": 2}, {"n_jets": 3}
    at_l2 = {"pt": 25.0, "eta": -0.3, "phi": 2.8}
    cases += [
        Case("another jet", event(more={"Jet": [far]}), ONE_JET, expect=two | {"jet_pt": 35.0}),
        Case("two other jets", event(more={"Jet": [far, far | {"phi": 1.5}]}), ONE_JET, expect=three),
        Case(
            "the nearest jet wins, not the hardest",
            event(more={"Jet": [at_l2]}),
            ONE_JET,
            expect=two | {"jet_pt": 25.0},
        ),
        Case("the other jet is too soft", event(more={"Jet": [far | {"pt": 19.9}]})),
        Case("the other jet is too far forward", event(more={"Jet": [far | {"eta": 2.41}]})),
        Case("the other jet fails its ID", event(more={"Jet": [far | {"jetId": 1}]})),
        Case("nearer jet fails its ID", event(more={"Jet": [at_l2 | {"jetId": 1}]}), expect={"jet_pt": 35.0}),
        Case("nearer jet is too soft", event(more={"Jet": [at_l2 | {"pt": 19.9}]}), expect={"jet_pt": 35.0}),
        Case("the other jet is l1", event(more={"Jet": [far | {"eta": 0.5, "phi": 0.3}]}), expect={"n_jets": 1}),
    ]
    for name, direction in (
        ("eta", lambda dr: {"eta": 0.5 + dr, "phi": 0.3}),
        ("phi", lambda dr: {"eta": 0.5, "phi": 0.3 - dr}),
    ):
        cases += both_sides(
            f"Delta R(l1, other jet) in {name}",
            lambda dr, direction=direction: event(more={"Jet": [far | direction(dr)]}),
            0.4,
            ONE_JET,
            keep="below",
        )
    # The jet of l2 counts even where it is close to l1.
    near_l1 = event(l1={"pt": 200.0}, l2={"eta": 0.5, "phi": 0.8, "pt": 20.0}, jet={"eta": 0.5, "phi": 0.4})
    cases.append(Case("the jet of l2 is close to l1", near_l1, expect={"n_jets": 1}))
    fractions = {
        "neHEF": (0.99, "below"),
        "neEmEF": (0.9, "below"),
        "chHEF": (0.01, "above"),
    }
    for column, (threshold, keep) in fractions.items():
        cases += both_sides(
            f"v15 jet {column}",
            lambda x, c=column: event(jet={c: x}),
            threshold,
            JETS,
            keep=keep,
            style="v15",
        )
    for charged, neutral, passes in (
        (0, 5, False),
        (1, 0, False),
        (1, 1, True),
        (2, 0, True),
        (255, 1, True),
    ):
        jet = {"chMultiplicity": charged, "neMultiplicity": neutral, "jetId": 0}
        name = f"v15 jet of {charged} charged, {neutral} neutral particles"
        cases.append(Case(name, event(jet=jet), None if passes else JETS, style="v15"))
    return cases


LEPTON = event()["Electron"][0]  # l2 of the default event
START = (0.01, -0.02, 1.5)  # its primary vertex


def off_track(ratio: float, sideways: float, upwards: float, limit: float = 0.03) -> dict[str, float]:
    """A place beside the track of the default l2, so far as `ratio` times what is allowed: `limit` (cm) + 0.005 of its
    way from the primary vertex."""
    track, distance = on_track(LEPTON, 3.0), 0.0
    left = LEPTON["phi"] + 3.0 / (LEPTON["pt"] / 0.0113924) + pi / 2  # it is negative and turns left, with 3.8 T
    for _ in range(9):
        place = {
            "x": track["x"] + sideways * distance * cos(left),
            "y": track["y"] + sideways * distance * sin(left),
            "z": track["z"] + upwards * distance * cosh(LEPTON["eta"]),
        }
        distance = ratio * (limit + 0.005 * dist(place.values(), START))
    return place


def vertex_cases() -> list[Case]:
    """Section 2, vertices, and Table 2, 'l2 in SV': by the track, with the help of svIdx where there is one."""
    cases = []
    other = {"pt": 50.0, "eta": -0.3, "phi": 2.8, "mass": 7.0}
    near = other | off_track(0.3, 1, 0)
    aside = other | off_track(2.0, -1, 0)
    turned = {"charge": 1, "pt": 8.0}
    for style, limit in (("v12", 0.03), ("v9", 0.01)):
        how = {"style": style}
        for column, threshold in (("dlenSig", 0.5), ("dxySig", 2.5)):
            cases += both_sides(
                f"{style} SV {column}",
                lambda x, c=column: event(sv={c: x}),
                threshold,
                IN_SV,
                keep="above",
                **how,
            )
        for name, direction in (("left", (1, 0)), ("right", (-1, 0)), ("above", (0, 1)), ("below", (0, -1))):
            cases += both_sides(
                f"{style} distance of the SV, {name} of the track",
                lambda x, direction=direction, limit=limit: event(sv=off_track(x, *direction, limit)),
                1.0,
                IN_SV,
                keep="below",
                **how,
            )
        cases += [
            Case(f"{style} no SV", event() | {"SV": []}, IN_SV, **how),
            Case(f"{style} SV elsewhere", event(sv=flight(3.0, 1.0, -2.0)), IN_SV, **how),
            Case(f"{style} momentum of the SV does not matter", event(sv={"eta": 2.0, "phi": 0.0}), **how),
            Case(f"{style} SV far out on the track", event(sv=on_track(LEPTON, 40.0)), **how),
            Case(f"{style} track turns right", event(l2=turned, sv=on_track(LEPTON | turned, 20.0)), **how),
            Case(
                f"{style} track turns left, SV to the right",
                event(l2={"pt": 8.0}, sv=on_track(LEPTON | turned, 20.0)),
                IN_SV,
                **how,
            ),
            Case(f"{style} from another primary vertex", event(PV_x=2.0, PV_y=-1.0, PV_z=-4.0), **how),
            Case(
                f"{style} nearest SV without significance",
                event(sv={"dxySig": 2.0}, l2={"svIdx": 1}, more={"SV": [near]}),
                IN_SV,
                **how,
            ),
            Case(
                f"{style} the nearest of two",
                event(l2={"svIdx": 1}, more={"SV": [near]}),
                expect={"m_sv": 4.0},
                **how,
            ),
            Case(
                f"{style} the nearest comes second",
                event(l2={"svIdx": 1}, sv=aside, more={"SV": [near]}),
                expect={"m_sv": 7.0},
                **how,
            ),
        ]
    far_in_table = event(sv=aside, more={"SV": [other | on_track(LEPTON, 3.0)]})
    cases += [
        Case("track in no SV", event(l2={"svIdx": -1}), IN_SV),
        Case("svIdx beyond the table", event(l2={"svIdx": 4})),
        Case("svIdx beyond the table, its SV is not there", event(l2={"svIdx": 4}, sv=aside), IN_SV),
        Case("svIdx below the row", far_in_table, IN_SV),
        Case("v9 svIdx is not used", event(l2={"svIdx": -1}), style="v9"),
        Case("v9 any row", far_in_table, expect={"m_sv": 7.0}, style="v9"),
    ]
    return cases


def pair_cases() -> list[Case]:
    """Table 2, the requirements on both leptons."""
    cases = both_sides(
        "m(l1, l2)",
        lambda m: event(
            l1={"eta": 0.0, "mass": 0.0},
            l2={"eta": 0.0, "phi": 0.8, "mass": 0.0, "pt": pt_for_mass(m, 50, 0, 0.5)},
        ),
        10,
        MASS,
        keep="above",
    )
    for name, phi in (
        ("up", lambda d: (0.3, 0.3 + d)),
        ("down", lambda d: (0.3, 0.3 - d)),
        ("across pi", lambda d: (3.0, 3.0 + d)),
    ):
        cases += both_sides(
            f"Delta phi(l1, l2) {name}",
            lambda d, phi=phi: event(
                l1={"phi": phi(d)[0], "eta": 0.8}, l2={"phi": wrap(phi(d)[1]), "eta": -0.8, "pt": 30.0}
            ),
            0.4,
            DELTA_PHI,
            keep="above",
        )
    for threshold, keep in ((85, "below"), (95, "above")):
        cases += both_sides("OS dimuon mass", lambda m: at_mass(m, "mu", "mu"), threshold, DY_VETO, keep=keep)
    cases.append(Case("OS dimuon at 90 GeV", at_mass(90, "mu", "mu"), DY_VETO))
    cases.append(Case("SS dimuon at 90 GeV", at_mass(90, "mu", "mu", same_sign=True)))
    for first, second in (("e", "e"), ("e", "mu"), ("mu", "e")):
        for same_sign in (False, True):
            name = f"{first} {second} at 90 GeV, same sign {same_sign}"
            cases.append(Case(name, at_mass(90, first, second, same_sign=same_sign)))
    return cases


def at_mass(mass: float, l1_flavour: str, l2_flavour: str, *, same_sign: bool = False) -> Event:
    """An event with an invariant mass (GeV) of the leptons, at Delta phi = 2.5, Delta eta = 0.8."""
    pt = pt_for_mass(mass, 50, 0.8, 2.5)
    return event(
        l1_flavour=l1_flavour,
        l2_flavour=l2_flavour,
        same_sign=same_sign,
        l1={"mass": 0.0},
        l2={"mass": 0.0, "pt": pt},
    )


def category_cases() -> list[Case]:
    """The eight categories; charges of either sign."""
    names = {("e", "e"): 0, ("mu", "mu"): 2, ("e", "mu"): 4, ("mu", "e"): 6}
    return [
        Case(
            f"category {l1} {l2}, charges {charge:+d} {other:+d}",
            event(l1_flavour=l1, l2_flavour=l2, l1={"charge": charge}, l2={"charge": other}),
            expect={"category": index + (charge == other), "l1_charge": charge, "l2_charge": other},
        )
        for (l1, l2), index in names.items()
        for charge in (1, -1)
        for other in (1, -1)
    ]


CASES = [
    Case("everything passes", event(), expect={"n_jets": 1}),
    *prompt_cases(),
    *nonprompt_cases(),
    *electron_id_cases(),
    *trigger_cases(),
    *jet_cases(),
    *vertex_cases(),
    *pair_cases(),
    *category_cases(),
]
GROUPS: dict[tuple[int, str], list[Case]] = {}
for _case in CASES:
    GROUPS.setdefault((_case.year, _case.style), []).append(_case)


@dataclass(frozen=True)
class Outcome:
    """What became of one event."""

    candidate: dict[str, Any] | None
    passed: tuple[str, ...]  # the stages after which it is still counted
    n_minus_one: tuple[str, ...]  # the requirements without which it is selected


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The outcome of a case, by name: its whole group is processed at the first question."""
    folder = tmp_path_factory.mktemp("thresholds")

    @cache
    def group(year: int, style: str) -> dict[str, Outcome]:
        cases, outcomes = GROUPS[year, style], {}
        for start in range(0, len(cases), PER_FILE):
            path = folder / f"{year}_{style}_{start}.root"
            outcomes |= _outcomes(path, cases[start : start + PER_FILE], year, style)
        return outcomes

    return lambda case: group(case.year, case.style)[case.name]


def _outcomes(path: Path, cases: list[Case], year: int, style: str) -> dict[str, Outcome]:
    numbered = [case.event | {"event": i, "genWeight": 2.0**i} for i, case in enumerate(cases)]
    output = process(catalogue_of(write(path, numbered, STYLES[style]), year=year))

    def having(counts: dict[str, Any], i: int) -> tuple[str, ...]:
        return tuple(stage for stage, count in counts.items() if int(count["all"]["sum_w"]) >> i & 1)

    rows = {int(n): j for j, n in enumerate(output["candidates"]["event"])}
    return {
        case.name: Outcome(
            {name: column[rows[i]] for name, column in output["candidates"].items()} if i in rows else None,
            having(output["cutflow"], i),
            having(output["n_minus_one"], i),
        )
        for i, case in enumerate(cases)
    }


def test_names_of_cases_are_unique() -> None:
    """Two cases of one name would hide each other."""
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_threshold(case: Case, outcome: Any) -> None:
    """The event is a candidate unless it fails a requirement, and then at that stage and no other."""
    found = outcome(case)
    stages = ("all events", "certified luminosity section", TRIGGER, PROMPT, HLT, NONPROMPT, *PAIR, ONE_JET)
    if case.fails is None:
        assert found.passed == stages
    else:
        assert found.passed == stages[: stages.index(case.fails)]
    if case.fails in (None, ONE_JET):
        assert found.candidate is not None
        assert {name: found.candidate[name] for name in case.expect} == case.expect
        assert (found.candidate["n_jets"] == 1) == (case.fails is None)
    else:
        assert found.candidate is None
    if case.fails is None:
        assert found.n_minus_one == stages[1:]
    elif case.fails in (HLT, *PAIR[1:], ONE_JET):
        assert found.n_minus_one == (case.fails,)
    elif case.fails in (TRIGGER, JETS):  # without a trigger there is no HLT match, without a jet no Delta R
        assert found.n_minus_one == ()


def test_events_are_what_the_tests_say() -> None:
    """The default event, in the numbers that the cases change."""
    electron, muon = event()["Electron"][0], event()["Muon"][0]
    assert (muon["pt"], electron["pt"], TIGHT) == (50.0, 15.0, 0o4444444444)
    assert pt_for_mass(10.0, 10.0, 0.0, pi) == pytest.approx(2.5)
