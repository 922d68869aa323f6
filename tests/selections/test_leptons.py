"""Table 1 as functions: properties that hold for any lepton. The thresholds are probed in tests/processors."""

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnl.datasets import years
from hnl.selections import leptons

CUTS = [
    leptons.PAPER.prompt_electrons_2016,
    leptons.PAPER.prompt_electrons,
    leptons.PAPER.prompt_muons,
    leptons.PAPER.nonprompt_electrons,
    leptons.PAPER.nonprompt_muons,
]
number = st.floats(-100, 100, width=32)
lepton = st.fixed_dictionaries(
    {
        "pt": st.floats(0, 100, width=32),
        "eta": st.floats(-3, 3, width=32),
        "dxy": st.floats(-0.0625, 0.0625, width=32),
        "dz": st.floats(-12, 12, width=32),
        "pfRelIso03_all": st.floats(0, 0.25, width=32),
    }
)


def mask(rows: list[dict[str, float]], cuts: leptons.LeptonCuts) -> list[bool]:
    """`passes` for the leptons of one event."""
    return leptons.passes(ak.Array([rows]), cuts)[0].tolist()


@given(st.lists(lepton, min_size=1, max_size=8), st.sampled_from(CUTS), st.randoms(use_true_random=False))
def test_order_does_not_matter(rows: list[dict[str, float]], cuts: leptons.LeptonCuts, random: object) -> None:
    """A lepton passes or not, whatever stands beside it."""
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert mask([rows[i] for i in order], cuts) == [mask(rows, cuts)[i] for i in order]


@given(lepton, st.sampled_from(CUTS))
def test_signs_do_not_matter(one: dict[str, float], cuts: leptons.LeptonCuts) -> None:
    """eta, dxy, dz count by their size."""
    mirrored = one | {name: -one[name] for name in ("eta", "dxy", "dz")}
    assert mask([one], cuts) == mask([mirrored], cuts)


@given(lepton, st.sampled_from(CUTS), st.floats(1, 3))
def test_harder_and_more_central_is_never_worse(one: dict[str, float], cuts: leptons.LeptonCuts, by: float) -> None:
    """Monotony of the cuts on pt, eta, dz and isolation."""
    better = one | {"pt": one["pt"] * by, "eta": one["eta"] / by, "dz": one["dz"] / by}
    better["pfRelIso03_all"] = one["pfRelIso03_all"] / by
    assert mask([better], cuts)[0] >= mask([one], cuts)[0]


@given(st.lists(lepton, min_size=1, max_size=8), st.sampled_from(CUTS), st.floats(1, 2))
def test_tighter_cuts_select_fewer(rows: list[dict[str, float]], cuts: leptons.LeptonCuts, by: float) -> None:
    """What passes tighter cuts passes looser ones."""
    tighter = cuts.model_copy(update={"pt": cuts.pt * by, "abs_eta": cuts.abs_eta / by, "abs_dz": cuts.abs_dz / by})
    assert all(loose >= tight for loose, tight in zip(mask(rows, cuts), mask(rows, tighter), strict=True))


@given(lepton)
def test_no_lepton_is_prompt_and_nonprompt(one: dict[str, float]) -> None:
    """The columns of Table 1 exclude each other for one flavour."""
    for prompt, nonprompt in ((CUTS[0], CUTS[3]), (CUTS[1], CUTS[3]), (CUTS[2], CUTS[4])):
        assert not (mask([one], prompt)[0] and mask([one], nonprompt)[0])


@given(st.lists(st.integers(0, 4), min_size=10, max_size=10))
def test_reduced_sequential_id(points: list[int]) -> None:
    """The first seven of the ten cuts at the loose working point (2) or better, and nothing else."""
    bits = sum(point << (3 * i) for i, point in enumerate(points))
    expected = all(point >= 2 for point in points[:7])
    found = leptons.reduced_sequential_id(ak.Array([np.array([bits, 0], dtype=np.int32)]))
    assert found.tolist() == [[expected, False]]


@pytest.mark.parametrize(
    ("loose", "is_global", "compatibility", "expected"),
    [
        (True, True, 0.302, False),
        (True, True, 0.304, True),
        (True, False, 0.450, False),
        (True, False, 0.452, True),
        (True, False, 0.304, False),
        (False, True, 0.9, False),
    ],
)
def test_reduced_medium_id(loose: bool, is_global: bool, compatibility: float, expected: bool) -> None:
    """Segment compatibility 0.303 for global, 0.451 for other muons, of the loose ID."""
    muons = ak.Array([[{"looseId": loose, "isGlobal": is_global, "segmentComp": compatibility}]])
    assert leptons.reduced_medium_id(muons).tolist() == [[expected]]


@pytest.mark.parametrize(("year", "pt"), [(year, 30 if year <= 2016 else 34) for year in years.ENERGY])
def test_years(year: int, pt: float) -> None:
    """Only the pt threshold of prompt electrons depends on the year."""
    cuts = leptons.PAPER.of_year(year)
    assert cuts.pt == pt
    assert cuts.model_dump() | {"pt": 30} == leptons.PAPER.prompt_electrons_2016.model_dump()


def test_leading() -> None:
    """The harder of both flavours, with the columns of either."""
    columns = dict.fromkeys(leptons.COMMON, 0.0)
    electrons = ak.Array([[columns | {"pt": 40.0, "flavour": 11}], [], [columns | {"pt": 8.0, "flavour": 11}]])
    muons = ak.Array(
        [
            [columns | {"pt": 50.0, "flavour": 13}, columns | {"pt": 60.0, "flavour": 13}],
            [columns | {"pt": 31.0, "flavour": 13}],
            [columns | {"pt": 7.5, "flavour": 13}],
        ]
    )
    found = leptons.leading(electrons, muons)
    assert found.pt.tolist() == [60.0, 31.0, 8.0]
    assert found.flavour.tolist() == [13, 13, 11]
    assert set(found.fields) == set(leptons.COMMON)
