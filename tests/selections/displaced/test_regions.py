"""Table 3: every event in one region of each kind or in none, and the bins of section 6."""

import math

import numpy as np
import pytest
import table_3
from hypothesis import given
from hypothesis import strategies as st

from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HYPOTHESES

THRESHOLDS = (0.5, 0.97, 0.984, 0.998)


def near(*edges: float) -> st.SearchStrategy[float]:
    """The edges and the doubles next to them."""
    around = [
        f(edge)
        for edge in edges
        for f in (lambda e: e, lambda e: math.nextafter(e, -1), lambda e: math.nextafter(e, 1e9))
    ]
    return st.sampled_from(around)


masses = st.one_of(near(10, 50, 85, 110), st.floats(0, 300), st.sampled_from([0.0, -1.0, math.inf, math.nan]))
scores = st.one_of(near(0.2, *THRESHOLDS), st.floats(0, 1), st.just(math.nan))
events = st.tuples(st.integers(0, 5), masses, scores, st.sampled_from(THRESHOLDS))


def fulfilled_rows(n_jets: int, m: float, s: float, x: float) -> set[str]:
    """The rows of Table 3 that an event fulfils."""
    return {name for name, mask in table_3.fulfilled(n_jets, m, s, x).items() if mask}


def assigned(n_jets: int, m: float, s: float, x: float) -> dict[str, str]:
    """Region of each kind, for the kinds that have one."""
    cell = regions.selection([n_jets]), regions.window([m]), regions.score_bin([s], x)
    found = {kind: int(regions.region(kind, *cell)[0]) for kind in ("SR", "VR", "CR")}
    return {kind: regions.rows(kind)[i].name for kind, i in found.items() if i != regions.NONE}


@given(events)
def test_one_region_of_each_kind_or_none(event):
    expected = fulfilled_rows(*event)
    for kind in ("SR", "VR", "CR"):
        assert sum(name.startswith(kind) for name in expected) <= 1
    assert set(assigned(*event).values()) == expected


@given(events)
def test_every_event_of_the_signal_region_is_in_sr_or_vr(event):
    """m > 10 GeV and a score above 0.2: one of SR and VR; and the CR is what of it is outside 50-85 GeV."""
    n_jets, m, s, _ = event
    found = assigned(*event)
    assert (len(found.keys() & {"SR", "VR"}) == 1) == (n_jets >= 1 and m > 10 and s > 0.2)
    assert ("CR" in found) == (len(found.keys() & {"SR", "VR"}) == 1 and not 50 < m <= 85)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ((1, 70.0, 0.99, 0.98), {"SR-A"}),
        ((1, 70.0, 0.5, 0.98), {"SR-B"}),
        ((1, 40.0, 0.99, 0.98), {"SR-C", "CR-C"}),
        ((1, 90.0, 0.99, 0.98), {"SR-C", "CR-A"}),
        ((1, 120.0, 0.5, 0.98), {"SR-D", "CR-D"}),
        ((2, 100.0, 0.5, 0.98), {"VR-CD", "CR-B"}),
        ((3, 60.0, 0.99, 0.98), {"VR-AB"}),
        ((1, 10.0, 0.99, 0.98), set()),
        ((1, 70.0, 0.2, 0.98), set()),
        ((0, 70.0, 0.99, 0.98), set()),
        ((1, 50.0, 0.98, 0.98), {"SR-D", "CR-D"}),
        ((1, 85.0, 0.98, 0.98), {"SR-B"}),
        ((1, 110.0, 0.99, 0.98), {"SR-C", "CR-A"}),
    ],
)
def test_inside_and_on_the_edges(event, expected):
    assert set(assigned(*event).values()) == expected


def test_a_single_precision_score_is_compared_as_the_double_it_is():
    score = np.array([0.97], dtype=np.float32)  # 0.97000002861
    assert regions.score_bin(score, 0.97)[0] == regions.ABOVE


def test_one_threshold_for_each_event():
    sides = regions.score_bin([0.98, 0.98], np.array([0.97, 0.99]))
    assert sides.tolist() == [regions.ABOVE, regions.BELOW]
    window = regions.window([70.0, 70.0])
    assert regions.region("SR", regions.SR, window, sides).tolist() == [regions.A, regions.B]


@given(events)
def test_preselected_is_what_all_regions_have_in_common(event):
    n_jets, m, s, _ = event
    assert (bool(regions.preselected([s], [m])[0]) and n_jets >= 1) == bool(fulfilled_rows(*event))


@pytest.mark.parametrize("kind", ["SR", "VR", "CR"])
def test_rows_and_map_are_one_table(kind):
    """Adding up the cells of every row, and looking up the row of every cell, agree; no cell is in two rows."""
    seen = np.full((len(regions.SELECTIONS), regions.N_WINDOWS, len(regions.SCORE_BINS)), regions.NONE)
    for i, row in enumerate(regions.rows(kind)):
        assert (seen[np.ix_(*row.cells)] == regions.NONE).all()
        seen[np.ix_(*row.cells)] = i
    assert np.array_equal(regions.region(kind, *np.indices(seen.shape)), seen)


@pytest.mark.parametrize(
    ("hypothesis", "m_sv", "delta_2d", "expected"),
    [
        ("low", 2.0, 4.0, (0, 0)),
        ("low", 2.001, 4.001, (1, 1)),
        ("low", 5.0, 10.0, (1, 1)),
        ("low", 0.3, 10.001, (0, 2)),
        ("high", 6.0, 1.0, (0, 0)),
        ("high", 6.001, 1.001, (1, 1)),
        ("high", 7.0, 5.001, (1, 2)),
        ("high", 3.0, math.inf, (0, 2)),
    ],
)
def test_bins_of_section_6(hypothesis, m_sv, delta_2d, expected):
    category = [CATEGORIES.index("ee_OS")]
    m_bin = regions.m_sv_bin([m_sv], hypothesis)
    assert (m_bin[0], regions.delta_2d_bin([delta_2d], m_bin, category, hypothesis)[0]) == expected


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("hypothesis", HYPOTHESES)
def test_only_ss_mumu_and_emu_of_high_mass_are_merged(hypothesis, category):
    merged = hypothesis == "high" and category in ("mumu_SS", "emu_SS")
    listed = regions.bins(hypothesis, category)
    assert len(listed) == (5 if merged else 6)
    m_bin = regions.m_sv_bin(np.repeat([1.0, 9.0], 3), hypothesis)
    far = regions.delta_2d_bin(np.tile([0.5, 4.5, 40], 2), m_bin, np.full(6, CATEGORIES.index(category)), hypothesis)
    assert {(b.m_sv, b.delta_2d) for b in listed} >= set(zip(m_bin.tolist(), far.tolist(), strict=True))
    assert far.max() == 2  # below 6 GeV nothing is merged
    assert far[3:].max() == (1 if merged else 2)


def test_no_value_no_bin():
    nan = [math.nan]
    assert regions.m_sv_bin(nan, "low")[0] == regions.NONE
    assert regions.delta_2d_bin(nan, [0], [0], "low")[0] == regions.NONE
    assert regions.window(nan)[0] == regions.NONE
