"""What the tests of whole samples share."""

from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import pytest
from toy_particles import minimum_bias

from hnl.datasets.simulation import sample


@pytest.fixture(scope="module")
def small_libraries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache with toy overlay libraries instead of the real ones, which take a minute; for workers as well."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        sample.cache_folder().mkdir()
        for name, n_events in (("minimum_bias", sample.N_MINIMUM_BIAS), ("underlying_event", sample.N_UNDERLYING)):
            path = sample.cache_folder() / f"{name}_{n_events}_{sample.LIBRARY_SEED}.parquet"
            ak.to_parquet(minimum_bias(), path)
        sample._libraries.cache_clear()
        yield folder
    sample._libraries.cache_clear()
