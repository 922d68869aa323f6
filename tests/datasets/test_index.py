"""What is known of files: opened once, and again only when they or the questions have changed."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from chain import NAME, catalogue_of
from nanoaod_events import ELECTRON_PATHS, event, write
from web import serving

from hnl import layout
from hnl.datasets import files
from hnl.datasets.catalogue import Catalogue, Dataset, Triggers
from hnl.datasets.index import Index, inspect_all
from hnl.errors import InputError


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the files that were opened."""
    paths: list[str] = []
    inspect = files.inspect

    def counted(path: str, *arguments: object) -> files.FileInfo:
        paths.append(path)
        return inspect(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "inspect", counted)
    return paths


def with_files(*paths: Path | str) -> Catalogue:
    one = catalogue_of(Path("x"))
    dataset = one.datasets[0].model_copy(update={"files": tuple(map(str, paths))})
    return one.model_copy(update={"datasets": (dataset,)})


def inspected(catalogue: Catalogue, folder: Path) -> list[tuple[Dataset, files.FileInfo | InputError]]:
    known = Index(folder / layout.INDEX)
    found = inspect_all(catalogue, known)
    known.save()
    return found


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    good = write(tmp_path / "good.root", [event(1)])
    for known in (None, Index(tmp_path / layout.INDEX)):
        found = inspect_all(with_files(good, tmp_path / "none.root"), known)
        assert [dataset.name for dataset, _ in found] == [NAME, NAME]
        assert files.problem(found[0][1]) is None  # type: ignore[arg-type]
        assert isinstance(found[1][1], files.FileError)
        assert str(found[1][1]) == f"{tmp_path / 'none.root'}: no such file"


def test_a_file_is_opened_once(tmp_path: Path, opened: list[str]) -> None:
    paths = [write(tmp_path / f"{i}.root", [event(i)]) for i in (1, 2)]
    first = inspected(with_files(*paths), tmp_path)
    assert sorted(opened) == [str(path) for path in paths]
    assert inspected(with_files(*paths), tmp_path) == first
    assert len(opened) == 2


def replaced(path: Path) -> None:
    write(path, [event(i) for i in range(5)])


def touched(path: Path) -> None:
    """Another time of change, the same size."""
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1))


def forged(path: Path) -> None:
    """Other content of the same size and date."""
    before = path.stat()
    write(path, [event(2)])
    content = path.read_bytes()
    path.write_bytes(content[: before.st_size].ljust(before.st_size, b" "))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


@pytest.mark.parametrize("change", [replaced, touched, forged])
def test_a_changed_file_is_opened_again(tmp_path: Path, opened: list[str], change: Callable[[Path], None]) -> None:
    path = write(tmp_path / "a.root", [event(1)])
    inspected(with_files(path), tmp_path)
    change(path)
    ((_, info),) = inspected(with_files(path), tmp_path)
    assert len(opened) == 2
    assert info == files.inspect(str(path), *_asked(with_files(path)))


def test_another_question_opens_again(tmp_path: Path, opened: list[str]) -> None:
    path = write(tmp_path / "a.root", [event(1)])
    inspected(with_files(path), tmp_path)
    catalogue = with_files(path)
    era = catalogue.eras["era"].model_copy(update={"triggers": Triggers(electron=ELECTRON_PATHS)})
    inspected(catalogue.model_copy(update={"eras": {"era": era}}), tmp_path)
    assert len(opened) == 2


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"format": 99})])
def test_a_broken_index_is_no_index(tmp_path: Path, opened: list[str], content: str) -> None:
    path = write(tmp_path / "a.root", [event(1)])
    (tmp_path / layout.INDEX).write_text(content)
    for _ in range(2):
        assert inspected(with_files(path), tmp_path)[0][1].events == 1  # type: ignore[union-attr]
    assert len(opened) == 1


def test_files_over_the_network_are_known_by_size_and_time(tmp_path: Path, opened: list[str]) -> None:
    path = write(tmp_path / "a.root", [event(1)])
    with serving(tmp_path) as server:
        for _ in range(2):
            inspected(with_files(f"{server.url}/a.root"), tmp_path)
        assert len(opened) == 1
        replaced(path)
        inspected(with_files(f"{server.url}/a.root"), tmp_path)
        assert len(opened) == 2


def _asked(catalogue: Catalogue) -> tuple[object, object]:
    return catalogue.datasets[0], catalogue.eras["era"]
