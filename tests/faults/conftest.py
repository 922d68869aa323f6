"""The search that is disturbed, and what comes out of it undisturbed."""

import shutil
from pathlib import Path

import faulty
import pytest
from faulty import Search

from hnl.executors import ExecutionOptions
from hnl.stages import histogram, select
from hnl.stages.run import Run


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """The search and its products."""
    folder = tmp_path_factory.mktemp("undisturbed")
    catalogue = faulty.make(folder)
    # In this process, which then has everything in memory that children need.
    select.run(catalogue, folder / "out", execution=ExecutionOptions("iterative"))
    histogram.run(Run(folder / "out"))
    expected = faulty.products(folder / "out")
    assert len(expected) == faulty.FILES + 2 + 2
    return Search(folder, catalogue, expected)


@pytest.fixture
def search(undisturbed: Search, tmp_path: Path) -> Search:
    """The same search on files of its own, which a test may damage. Products name no paths but in the cutflow."""
    for path in undisturbed.folder.iterdir():
        if path.is_file():
            shutil.copy2(path, tmp_path)
    here, there = (str(folder).encode() for folder in (tmp_path, undisturbed.folder))
    expected = {name: content.replace(there, here) for name, content in undisturbed.expected.items()}
    return Search(tmp_path, tmp_path / "catalogue.yaml", expected)
