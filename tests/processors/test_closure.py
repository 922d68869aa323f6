"""The closure gate: nothing is normalised unless all of it was read, once."""

from dataclasses import replace
from typing import Any

import pytest

from hnl.datasets.catalogue import Dataset
from hnl.errors import InputError
from hnl.processors.closure import (
    ClosureError,
    GeneratorNormError,
    check_complete,
    generator_norms,
    pileup_profile,
    sum_of_weights,
)
from hnl.processors.manifests import Manifest, Tables
from hnl.processors.selection_files import FileFacts


def dataset(**changes: Any) -> Dataset:
    values: dict[str, Any] = {
        "name": "w",
        "era": "e",
        "kind": "background",
        "process": "w",
        "files": ("a",),
        "cross_section": 1.0,
    }
    return Dataset(**values | changes)


def file(name: str, events: int = 10, generated: int | None = 20, sum_w: float | None = 40.0) -> FileFacts:
    return FileFacts(
        path=name, uuid=name, events=events, version="v9", sv_association="svIdx", generated_events=generated,
        sum_w=sum_w, sum_w2=None if sum_w is None else sum_w**2,  # as of one event: too few to judge a file by
        variation_sums=[], trigger_bits=None,
    )  # fmt: skip


def unit(name: str, start: int = 0, stop: int = 10, events: int | None = None, sum_w: float = 5.0) -> Manifest:
    return Manifest(
        format=Manifest.FORMAT, fingerprint="mark", dataset="w", file=name, uuid=name, start=start, stop=stop, bytes=0,
        sha256="", varied_bytes=0, varied_sha256=None, lists_bytes=0, lists_sha256=None, lists=0,
        variations=["nominal"], candidates=0, rows=0, checksum=None,
        events=stop - start if events is None else events, sum_w=sum_w, sum_w2=sum_w**2, variation_sums={},
        tables=Tables({}, {}), pileup_profile=[],
    )  # fmt: skip


def test_sums_come_from_the_runs_trees() -> None:
    files, units = [file("a"), file("b", sum_w=-10.0)], [unit("a"), unit("b")]
    assert sum_of_weights(dataset(), files, units) == 30.0
    assert sum_of_weights(dataset(generated_events=40), files, units) == 30.0


def test_without_runs_tree_all_processed_events_count() -> None:
    files = [file("a", generated=None, sum_w=None), file("b", generated=None, sum_w=None)]
    units = [unit("a", sum_w=5.0), unit("b", sum_w=-1.0)]
    assert sum_of_weights(dataset(generated_events=20), files, units) == 4.0
    with pytest.raises(ClosureError, match="no sum of weights in its Runs tree"):
        sum_of_weights(dataset(), files, units)
    with pytest.raises(ClosureError, match="catalogue says 21 generated events, the files hold 20"):
        sum_of_weights(dataset(generated_events=21), files, units)


def test_disagreements_are_refused() -> None:
    with pytest.raises(ClosureError, match="catalogue says 19 generated events, the Runs trees count 20"):
        sum_of_weights(dataset(generated_events=19), [file("a")], [unit("a")])
    with pytest.raises(ClosureError, match="b has no sum of weights in its Runs tree, others have"):
        sum_of_weights(dataset(generated_events=20), [file("a"), file("b", sum_w=None)], [unit("a"), unit("b")])
    with pytest.raises(ClosureError, match="generated events is 0"):
        sum_of_weights(dataset(), [file("a", sum_w=0.0)], [unit("a")])
    with pytest.raises(ClosureError, match="generated events is nan"):
        sum_of_weights(dataset(), [file("a", sum_w=float("nan"))], [unit("a")])


def test_a_file_must_agree_with_its_own_runs_tree() -> None:
    """More events than were generated; or all of them, with other weights."""
    with pytest.raises(ClosureError, match="b has 10 events, its Runs tree counts 9"):
        sum_of_weights(dataset(), [file("a"), file("b", generated=9)], [unit("a"), unit("b")])
    whole = [file("a"), file("b", generated=10, sum_w=5.0)]
    assert sum_of_weights(dataset(), whole, [unit("a"), unit("b", 0, 4, sum_w=2.0), unit("b", 4, 10, sum_w=3.0)]) == 45
    for wrong in (4.9, -5.0, float("nan")):
        with pytest.raises(ClosureError, match=f"in b add up to {wrong:.10g}, its Runs tree says 5"):
            sum_of_weights(dataset(), whole, [unit("a"), unit("b", sum_w=wrong)])


def test_complete() -> None:
    check_complete("w", [file("a"), file("b", events=0)], [unit("a", 4, 10), unit("a", 0, 4), unit("b", 0, 0)])


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ([], "a has 10 events, 0 were processed"),
        ([unit("a", 0, 9)], "a has 10 events, 9 were processed"),
        ([unit("a", 0, 4), unit("a", 5, 10)], "entries 5 to 10"),
        ([unit("a"), unit("a")], "entries 0 to 10 were read as 10 events after 10 others"),
        ([unit("a", events=9)], "read as 9 events"),
        ([unit("a"), unit("b")], "b was processed, but is not in the catalogue"),
    ],
)
def test_anything_missing_or_double_is_refused(units: list[Manifest], words: str) -> None:
    with pytest.raises(ClosureError, match=words):
        check_complete("w", [file("a")], units)


def test_an_empty_file_must_be_processed_too() -> None:
    with pytest.raises(ClosureError, match="0 were processed"):
        check_complete("w", [file("a", events=0)], [])


SCALE = {"generator_weights": {"scale": True}}
NAMES = ("mur_up", "mur_down", "muf_up", "muf_down")


def varied(one: FileFacts, runs: float | None = None) -> FileFacts:
    """A file whose Runs tree has this sum of all variations, or none."""
    return one | {"variation_sums": [] if runs is None else [(name, runs) for name in NAMES]}


def processed(one: Manifest, total: float = 0.0) -> Manifest:
    """A unit with this sum of all variations."""
    return replace(one, variation_sums=dict.fromkeys(NAMES, total))


def test_sums_of_variations_come_from_the_runs_trees() -> None:
    files = [varied(file("a"), 44.0), varied(file("b", sum_w=10.0), 11.0)]
    units = [processed(unit(name), 999.0) for name in "ab"]
    assert generator_norms(dataset(**SCALE), files, units) == dict.fromkeys(NAMES, 55.0 / 50.0)
    assert generator_norms(dataset(), files, units) == {}


def test_a_file_of_no_events_needs_no_sums_of_variations() -> None:
    files = [varied(file("a"), 44.0), varied(file("b", events=0, generated=0, sum_w=0.0))]
    units = [processed(unit("a")), processed(unit("b", stop=0))]
    assert generator_norms(dataset(**SCALE), files, units)["mur_up"] == 1.1


def test_files_that_hold_all_events_need_no_sums_of_variations() -> None:
    files = [varied(file("a", generated=10)), varied(file("b", generated=10))]
    units = [processed(unit("a", sum_w=4.0), 5.0), processed(unit("b", sum_w=6.0), 6.0)]
    assert generator_norms(dataset(**SCALE), files, units)["muf_down"] == 1.1


def test_skimmed_files_do() -> None:
    files = [varied(file("a"), 44.0), varied(file("b"))]
    units = [processed(unit(name)) for name in "ab"]
    with pytest.raises(
        ClosureError, match=r"dataset w: b does not hold all generated events, .* no sum of the weights mur"
    ):
        generator_norms(dataset(**SCALE), files, units)


def test_sums_of_variations_that_disagree_or_vanish() -> None:
    files = [varied(file("a", generated=10), 44.0)]
    with pytest.raises(ClosureError, match=r"mur_up sum to 1.1 of nominal, the events, which are all there, to 1.05"):
        generator_norms(dataset(**SCALE), files, [processed(unit("a", sum_w=40.0), 42.0)])
    assert generator_norms(dataset(**SCALE), files, [processed(unit("a", sum_w=40.0), 44.05)])["mur_up"] == 1.1
    with pytest.raises(GeneratorNormError, match="dataset w: a: the weights mur_up sum to 0 of nominal"):
        generator_norms(dataset(**SCALE), [varied(file("a"), 0.0)], [processed(unit("a"))])


def with_norms(*, n: int = 1000, events: tuple[float, float] = (1.0, 1.0), **runs: tuple[float, float]) -> None:
    """The norms of files of n events of weight 1, whose events have `events` as up and down of each scale, and whose
    Runs trees have what is given by file (a, b)."""

    def sums(up: float, down: float) -> dict[str, float]:
        return {name: n * (up if name.endswith("up") else down) for name in NAMES}

    files = [
        file(name, events=n, generated=2 * n, sum_w=n) | {"sum_w2": n, "variation_sums": list(sums(*pair).items())}
        for name, pair in runs.items()
    ]
    units = [replace(unit(name, stop=n, sum_w=n), sum_w2=n, variation_sums=sums(*events)) for name in runs]
    generator_norms(dataset(**SCALE), files, units)


def test_norms_of_real_samples_pass() -> None:
    """Of the Runs trees of CMS files: DY (NLO) and gg -> H; and alpha_s^4 at leading order, Q = m(Z): 0.118, 0.106
    (2 Q) and 0.133 (Q / 2)."""
    with_norms(a=(0.9865, 1.0129), b=(1.0248, 0.9603))
    with_norms(a=(0.8375, 1.1986), b=(1.0292, 0.9681))
    with_norms(a=((0.106 / 0.118) ** 4, (0.133 / 0.118) ** 4), events=(0.62, 1.68))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        # One file of two, whose sums were added up when 43 files were merged; the sum of both would be 22.
        ({"a": (1.0, 1.0), "b": (43.0, 43.0)}, "dataset w: b: Runs tree: the weights mur_up sum to 43 of nominal"),
        ({"a": (0.4, 1.0)}, "dataset w: a: Runs tree: the weights mur_up sum to 0.4 of nominal, not 0.5 to 2"),
        ({"a": (1.0, 2.1)}, "dataset w: a: Runs tree: the weights mur_down sum to 2.1 of nominal, not 0.5 to 2"),
        # Two merged files: 2 x 0.8 and 2 x 0.95 are no absurd sums of one variation.
        ({"a": (1.6, 1.9)}, "a: Runs tree: the weights mur_up and down sum to 1.6 and 1.9 of nominal, their geom"),
        ({"a": (float("nan"), 1.0)}, "a: Runs tree: the weights mur_up sum to nan of nominal"),
        # Of the events, where the Runs tree is right.
        ({"a": (1.0, 1.0), "events": (43.0, 1.0)}, "dataset w: a: events: the weights mur_up sum to 43 of nominal"),
        # Too few events to judge one file: all files together.
        ({"a": (43.0, 43.0), "n": 9}, "dataset w: a: the weights mur_up sum to 43 of nominal"),
    ],
)
def test_absurd_norms_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(GeneratorNormError, match=words):
        with_norms(**given)
    assert issubclass(GeneratorNormError, InputError)


def test_files_of_few_events_may_fluctuate() -> None:
    """Weights +1 and -1 nearly cancel in a file of nine."""
    files = [varied(file("a", sum_w=1.0), 3.0) | {"sum_w2": 9.0}, varied(file("b", sum_w=999.0), 999.0)]
    units = [processed(unit(name, sum_w=0.0)) for name in "ab"]
    assert generator_norms(dataset(**SCALE), files, units)["mur_up"] == pytest.approx(1002 / 1000)


def test_pileup_profile_of_all_generated_events() -> None:
    units = [replace(unit("a"), pileup_profile=[0.0, 2.0]), replace(unit("b"), pileup_profile=[1.0, 2.0, 3.0])]
    assert pileup_profile([file("a", generated=10), file("b", generated=10)], units) == [1.0, 4.0, 3.0]
    assert pileup_profile([file("a"), file("b")], units) is None
    assert pileup_profile([file("a", generated=10)], [unit("a")]) is None
