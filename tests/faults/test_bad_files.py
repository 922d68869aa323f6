"""Files that are broken, or break while they are looked at: named, and nothing is made of them.

Missing, truncated, empty and non-ROOT files, one file listed twice, one content under two names, one event in two data
streams: tests/test_cli.py.
"""

import hashlib
import random
import zlib
from pathlib import Path
from typing import Any

import faulty
import pytest
import uproot
from faulty import Search
from inject.faults_at_open import fault
from nanoaod_events import Style, event, write

from hnl.processors import status

ITERATIVE = ("--executor", "iterative")
MANY = 400  # events: enough for baskets of more than 500 bytes


def flip(path: Path, branch: str, seed: int, n: int = 500) -> None:
    """Changes n bytes in the middle of the first basket of a branch."""
    with uproot.open(path) as file:
        tree = file["Events"][branch]
        start, size = int(tree.member("fBasketSeek")[0]), int(tree.member("fBasketBytes")[0])
    content = bytearray(path.read_bytes())
    header = 100  # of the basket, with its name; behind it are the values
    assert size - header > n
    for place in random.Random(seed).sample(range(start + header, start + size), n):
        content[place] ^= 0xFF
    path.write_bytes(content)


def checksums(search: Search, kind: str) -> Path:
    """The catalogue with the checksums of all files as they are now."""

    def of(path: Path) -> str:
        content = path.read_bytes()
        return f"adler32:{zlib.adler32(content):08x}" if kind == "adler32" else hashlib.sha256(content).hexdigest()

    def add(content: dict[str, Any]) -> None:
        for dataset, pattern in zip(content["datasets"], ("w*.root", "data*.root"), strict=True):
            found = {path.name: of(path) for path in search.folder.glob(pattern)}
            dataset["checksums"] = {n: s if ":" in s else f"sha256:{s}" for n, s in found.items()}

    return search.changed(add)


def test_flipped_bytes_in_a_compressed_basket(search: Search, tmp_path: Path) -> None:
    """The run fails and names the file, wherever the bytes are; with the file whole again, only that is left to do."""
    out, path = tmp_path / "out", search.folder / "w3.root"
    write(path, [event(30_000 + n, l1={"pt": 40 + n / 7}) for n in range(MANY)])
    whole = path.read_bytes()
    _, expected = faulty.finish(search.catalogue, tmp_path / "undisturbed")
    for seed in range(5):
        path.write_bytes(whole)
        flip(path, "Muon_pt", seed)
        code, said = faulty.run("select", search.catalogue, "-o", out, *ITERATIVE)
        assert code == 2
        assert f"{path}: " in said
        assert "Muon_pt" in said
        found = status.read_status(out)
        assert list(found.files["w"].failed) == [str(path)]
        assert "Muon_pt" in found.files["w"].failed[str(path)]
        assert not (out / "selection.json").exists()
    path.write_bytes(whole)
    said, products = faulty.finish(search.catalogue, out)
    assert "7 of 8 work units are done already; 1 to do: w3.root" in said
    assert products == expected
    assert not status.read_status(out).files["w"].failed


@pytest.mark.parametrize("kind", ["adler32", "sha256"])
def test_flipped_bytes_in_an_uncompressed_basket(search: Search, tmp_path: Path, kind: str) -> None:
    """The format has no checksum: nobody can tell, but with checksums in the catalogue."""
    out, path = tmp_path / "out", search.folder / "w3.root"
    write(path, [event(30_000 + n) for n in range(MANY)], Style(compressed=False))
    catalogue = checksums(search, kind)
    assert faulty.run("select", catalogue, "-o", tmp_path / "undisturbed", *ITERATIVE, "--checksum")[0] == 0
    flip(path, "Muon_pt", 0)
    assert faulty.run("select", catalogue, "-o", out, *ITERATIVE)[0] == 0
    # Parts that were made without looking are not good enough now.
    code, said = faulty.run("select", catalogue, "-o", out, *ITERATIVE, "--checksum")
    assert code == 2
    assert f"{path}: the checksum is {kind}:" in said
    code, said = faulty.run("select", search.catalogue, "-o", out, *ITERATIVE, "--checksum")
    assert code == 2
    assert "has no checksum of" in said


def test_a_checksum_of_no_file(search: Search, tmp_path: Path) -> None:
    """A misspelt name, or a checksum of an unknown kind, is refused with its line."""
    for name, checksum in (("w9.root", "adler32:00000001"), ("w1.root", "md5:0"), ("w1.root", "adler32:1")):
        catalogue = search.changed(lambda c, n=name, s=checksum: c["datasets"][0].update(checksums={n: s}))
        code, said = faulty.run("select", catalogue, "-o", tmp_path / "out", *ITERATIVE)
        assert code == 2
        assert "line" in said
        assert name in said


def test_a_file_that_vanishes_between_check_and_read(search: Search, tmp_path: Path) -> None:
    """It is named, the others are done, and it is done when it is back."""
    out, path = tmp_path / "out", search.folder / "w2.root"
    whole = path.read_bytes()
    vanishing = fault("vanish", path, tmp_path / "notes", out)
    code, said = faulty.run("select", search.catalogue, "-o", out, *ITERATIVE, fault=vanishing)
    assert code == 2
    assert str(path) in said
    path.write_bytes(whole)
    said, found = faulty.finish(search.catalogue, out)
    assert "1 to do: w2.root" in said
    assert found == search.expected


def test_a_file_whose_sum_of_weights_disagrees(search: Search, tmp_path: Path) -> None:
    """With its own events, or with the catalogue."""
    path = search.folder / "w1.root"
    code, said = faulty.run(
        "select",
        search.changed(lambda c: c["datasets"][0].update(generated_events=7)),
        "-o",
        tmp_path / "a",
        *ITERATIVE,
    )
    assert code == 1
    assert "the catalogue says 7 generated events, the Runs trees count 147" in said
    assert str(path) in said
    write(path, [event(n) for n in range(5)], Style(runs=None))
    with uproot.update(path) as file:
        runs = {"genEventCount": [5], "genEventSumw": [50.0], "genEventSumw2": [5.0]}
        file.mktree("Runs", {"genEventCount": "int64", "genEventSumw": "float64", "genEventSumw2": "float64"})
        file["Runs"].extend(runs)
    code, said = faulty.run("select", search.catalogue, "-o", tmp_path / "b", *ITERATIVE)
    assert code == 1
    assert f"the weights of the events in {path} add up to 5, its Runs tree says 50" in said
    assert not (tmp_path / "b" / "selection.json").exists()
