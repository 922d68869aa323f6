"""Golden JSON: what it certifies. What is refused: tests/test_cli.py."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnl.datasets import golden

LARGEST = 2**32 - 1


def certified(folder: Path, content: dict[str, list[list[int]]], *sections: tuple[int, int]) -> list[bool]:
    path = folder / "golden.json"
    path.write_text(json.dumps(content))
    run, section = (np.array(column, dtype=np.uint32) for column in zip(*sections, strict=True))
    return [bool(one) for one in golden.read(path).holds(run, section)]


@st.composite
def contents(draw: st.DrawFn) -> dict[str, list[list[int]]]:
    """Runs in any order, each with disjoint ranges in any order, some of which touch."""
    content = {}
    for run in draw(st.lists(st.integers(1, 6), min_size=1, max_size=4, unique=True)):
        last, pairs = 0, []
        for gap, length in draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=4)):
            first, last = last + gap, last + gap + length - 1
            pairs.append([first, last])
        content[str(run)] = draw(st.permutations(pairs))
    return content


@given(content=contents())
def test_certified_sections_are_those_listed(
    content: dict[str, list[list[int]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    sections = [(run, section) for run in range(8) for section in range(30)]
    expected = [
        any(section in range(first, last + 1) for first, last in content.get(str(run), [])) for run, section in sections
    ]
    assert certified(tmp_path_factory.mktemp("json"), content, *sections) == expected


def test_order_and_largest_numbers(tmp_path: Path) -> None:
    """Sections and runs are told apart up to 32 bits; touching ranges in the wrong order lose nothing."""
    content = {str(LARGEST): [[LARGEST, LARGEST]], "1": [[50, 100], [1, 49]]}
    places = [(1, 1), (1, 49), (1, 50), (1, 100), (1, 101), (1, LARGEST), (2, 1), (LARGEST, 1), (LARGEST, LARGEST)]
    assert certified(tmp_path, content, *places) == [True] * 4 + [False] * 4 + [True]


def test_no_events(tmp_path: Path) -> None:
    path = tmp_path / "golden.json"
    path.write_text('{"1": [[1, 2]]}')
    found = golden.read(path).holds(np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.uint32))
    assert (found.dtype, found.shape) == (bool, (0,))


def test_a_folder_is_no_golden_json(tmp_path: Path) -> None:
    with pytest.raises(golden.GoldenJSONError, match=f"cannot read the golden JSON {tmp_path}: Is a directory"):
        golden.read(tmp_path)
