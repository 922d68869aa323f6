"""Fixtures of the whole suite."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples every time, and no clock: a slow machine is not a failure.
settings.register_profile("hnl", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("hnl")

REAL_NANOAOD = Path(__file__).parents[1] / ".." / "shared" / "data" / "nanoaod"


@pytest.fixture(scope="session")
def real_nanoaod() -> Path:
    """Folder of small real CMS files; skips where it is absent."""
    folder = Path(os.environ.get("HNL_REAL_NANOAOD") or REAL_NANOAOD).resolve()
    if not any(folder.glob("*.root")):
        pytest.skip(f"no real NanoAOD files in {folder}; name their folder in HNL_REAL_NANOAOD")
    return folder
