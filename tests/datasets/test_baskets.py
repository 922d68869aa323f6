"""The basket reader gives what uproot gives, bit for bit, and errors where a file is damaged."""

import os
from pathlib import Path
from typing import Any

import awkward as ak
import fsspec
import numpy as np
import pytest
import uproot

from hnl.datasets import baskets, branches
from hnl.datasets.baskets import BasketError, Tree

N_EVENTS, PER_BASKET = 50, 7
COMPRESSIONS = {
    "none": None,
    "zlib": uproot.ZLIB(1),
    "lzma": uproot.LZMA(1),
    "lz4": uproot.LZ4(1),
    "zstd": uproot.ZSTD(5),
}
RANGES = [(0, N_EVENTS), (0, 0), (13, 13), (0, PER_BASKET), (7, 14), (6, 15), (3, 4), (20, 49), (49, 50)]
DTYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")


def columns(n: int) -> dict[str, Any]:
    """One flat and one jagged branch of each type, some collections empty over several baskets."""
    rng = np.random.default_rng(n)
    counts = {"Many": rng.poisson(3, n), "Few": rng.poisson(0.05, n), "None": np.zeros(n, int)}
    flat = {f"flat_{dtype}": rng.integers(0, 100, n).astype(dtype) for dtype in DTYPES}
    jagged = {
        name: ak.zip({dtype: ak.unflatten(rng.integers(-100, 100, c.sum()).astype(dtype), c) for dtype in DTYPES})
        for name, c in counts.items()
    }
    return flat | jagged | {"matrix": rng.random((n, 3))}


def write(path: Path, n: int = N_EVENTS, compression: Any = COMPRESSIONS["zstd"], per_basket: int = PER_BASKET) -> Path:
    """A file with the tree Events; another, Other, has larger baskets of the same."""
    values = columns(n)
    types = {
        name: value.type.content if isinstance(value, ak.Array) else np.dtype((value.dtype, value.shape[1:]))
        for name, value in columns(3).items()
    }
    with uproot.recreate(path, compression=compression) as root:
        for name, step in (("Events", per_basket), ("Other", 2 * per_basket + 1)):
            tree = root.mktree(name, types)
            for start in range(0, n, step):
                tree.extend({key: value[start : start + step] for key, value in values.items()})
    return path


def opened(path: Path | str) -> Any:
    return uproot.open(path, array_cache=None, object_cache=None)


def assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert list(ours) == list(theirs)
    for name, column in ours.items():
        other = theirs[name]
        assert column.type == other.type, name
        assert ak.to_packed(column).layout.form == ak.to_packed(other).layout.form, name
        for one, two in zip(_buffers(column), _buffers(other), strict=True):
            assert one == two, name


def _buffers(column: Any) -> list[bytes]:
    return [np.ascontiguousarray(part).tobytes() for part in ak.to_buffers(ak.to_packed(column))[2].values()]


def by_uproot(tree: Any, start: int, stop: int, names: list[str] | None = None) -> dict[str, Any]:
    names = tree.keys() if names is None else names
    return dict(tree.arrays(names, entry_start=start, entry_stop=stop, how=dict, array_cache=None))


def test_real_files_all_branches(real_nanoaod: Path) -> None:
    for path in sorted(real_nanoaod.glob("*.root")):
        with opened(path) as root:
            tree, reference = Tree(root, "Events"), root["Events"]
            assert tree.names == reference.keys()
            assert tree.num_entries == reference.num_entries
            assert [tree.title(name) for name in tree.names] == [branch.title for branch in reference.branches]
            assert all(tree.branch(name) for name in tree.names)
            assert_same(tree.arrays(tree.names, 0, tree.num_entries), by_uproot(reference, 0, tree.num_entries))
            some = [name for name in tree.names if name.startswith(("Muon_", "SV_", "nSV", "PV_"))]
            assert_same(tree.arrays(some, 11, 23), by_uproot(reference, 11, 23, some))


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_generated_files(tmp_path: Path, compression: str) -> None:
    with opened(write(tmp_path / "file.root", compression=COMPRESSIONS[compression])) as root:
        tree = Tree(root, "Events")
        assert [name for name in tree.names if tree.branch(name) is None] == ["matrix"]
        for start, stop in RANGES:
            assert_same(tree.arrays(tree.names, start, stop), by_uproot(root["Events"], start, stop))


def test_some_columns_in_any_order_and_without_their_counter(tmp_path: Path) -> None:
    names = ["flat_float32", "Many_int16", "flat_int8", "Few_float64"]
    with opened(write(tmp_path / "file.root")) as root:
        assert_same(Tree(root, "Events").arrays([*names, names[0]], 5, 40), by_uproot(root["Events"], 5, 40, names))


def test_columns_of_one_collection_share_offsets(tmp_path: Path) -> None:
    with opened(write(tmp_path / "file.root")) as root:
        read = Tree(root, "Events").arrays(["Many_int16", "Many_float32"], 0, N_EVENTS)
    one, two = (np.asarray(column.layout.offsets) for column in read.values())
    assert np.shares_memory(one, two)


def test_no_events(tmp_path: Path) -> None:
    with opened(write(tmp_path / "file.root", n=0)) as root:
        tree = Tree(root, "Events")
        assert tree.num_entries == 0
        assert_same(tree.arrays(tree.names, 0, 0), by_uproot(root["Events"], 0, 0))


def test_baskets_that_end_at_different_entries(tmp_path: Path) -> None:
    with opened(write(tmp_path / "file.root")) as root:
        names = ["Many_int16", "nMany", "Many_float32"]
        for moved in ("nMany", "Many_float32"):
            for start, stop in RANGES:
                tree = Tree(root, "Events")
                tree._branches[moved] = Tree(root, "Other").branch(moved)
                assert_same(tree.arrays(names, start, stop), by_uproot(root["Events"], start, stop, names))


@pytest.mark.parametrize("version", ["TREE_VERSION", "BRANCH_VERSION"])
def test_what_is_unfamiliar_is_left_to_uproot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(branches, version, 99)
    with opened(write(tmp_path / "file.root")) as root:
        tree, reference = Tree(root, "Events"), root["Events"]
        assert not any(tree.branch(name) for name in tree.names)
        assert tree.names == reference.keys()
        assert tree.num_entries == N_EVENTS
        assert tree.title("flat_bool") == reference["flat_bool"].title
        assert_same(tree.arrays(tree.names, 3, 33), by_uproot(reference, 3, 33))


def test_collection_whose_counter_is_unfamiliar(tmp_path: Path) -> None:
    with opened(write(tmp_path / "file.root")) as root:
        tree = Tree(root, "Events")
        tree._branches["nMany"] = None
        assert_same(tree.arrays(["Many_int16"], 3, 33), by_uproot(root["Events"], 3, 33, ["Many_int16"]))


def test_remote_files_are_read_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baskets, "BATCH_BYTES", 2000)
    content = write(tmp_path / "file.root").read_bytes()
    fsspec.filesystem("memory").pipe("/baskets.root", content)
    with opened("memory://baskets.root") as root:
        tree = Tree(root, "Events")
        assert_same(tree.arrays(tree.names, 5, 45), by_uproot(root["Events"], 5, 45))


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (0, N_EVENTS + 1)])
def test_entries_that_are_not_there(tmp_path: Path, start: int, stop: int) -> None:
    with opened(write(tmp_path / "file.root")) as root, pytest.raises(ValueError, match="tree with 50"):
        Tree(root, "Events").arrays(["flat_bool"], start, stop)


def damage(path: Path, branch: str, at: int, content: bytes) -> None:
    """Overwrites bytes of the second basket of a branch, counted from its end if negative."""
    with opened(path) as root:
        where = Tree(root, "Events").branch(branch)
        assert where is not None
        begin, size = int(where.seeks[1]), int(where.sizes[1])
    with path.open("r+b") as file:
        file.seek(begin + at % size)
        file.write(content)


# 0 and 6 are in the header of the basket, -8 is in its content.
@pytest.mark.parametrize("compression", ["zlib", "lzma", "lz4", "zstd"])
@pytest.mark.parametrize("at", [0, 6, -8])
def test_damaged_basket(tmp_path: Path, compression: str, at: int) -> None:
    path = write(tmp_path / "file.root", n=2000, per_basket=500, compression=COMPRESSIONS[compression])
    damage(path, "Many_int64", at, b"\xff\xff\xff\xff\xff\xff\xff\xff"[: -at if at < 0 else 8])
    with opened(path) as root:
        tree = Tree(root, "Events")
        with pytest.raises(BasketError, match="basket 1 of branch Many_int64"):
            tree.arrays(["Many_int64"], 0, 2000)
        assert len(tree.arrays(["Many_int64"], 0, 500)["Many_int64"]) == 500


def test_counter_that_contradicts_its_collection(tmp_path: Path) -> None:
    path = write(tmp_path / "file.root", compression=None)
    damage(path, "nMany", -4, np.array(1000, ">i4").tobytes())
    with opened(path) as root, pytest.raises(BasketError, match=r"bytes for \d+ values of 2 bytes"):
        Tree(root, "Events").arrays(["Many_int16"], 0, N_EVENTS)


def test_negative_counter(tmp_path: Path) -> None:
    path = write(tmp_path / "file.root", compression=None)
    damage(path, "nMany", -4, np.array(-1, ">i4").tobytes())
    with opened(path) as root, pytest.raises(BasketError, match="nMany: a negative number"):
        Tree(root, "Events").arrays(["Many_int16"], 0, N_EVENTS)


def test_truncated_file(tmp_path: Path) -> None:
    path = write(tmp_path / "file.root")
    with opened(path) as root:
        tree = Tree(root, "Events")
        last = tree.branch("flat_bool")
        assert last is not None
        os.truncate(path, int(last.seeks[-1]) + 5)
        with pytest.raises(BasketError, match="flat_bool"):
            tree.arrays(["flat_bool"], 0, N_EVENTS)
