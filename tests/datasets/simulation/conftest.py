"""What the tests of whole samples share."""

from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import pytest
import toy_particles

from hnl.datasets.simulation import minimum_bias, sample


@pytest.fixture(scope="module")
def small_libraries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache with toy overlay libraries instead of the real ones, which take a minute; for workers as well."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        sample.cache_folder().mkdir()
        for name, settings, n_events in (
            ("minimum_bias", minimum_bias.MINIMUM_BIAS, sample.N_MINIMUM_BIAS),
            ("underlying_event", minimum_bias.UNDERLYING_EVENT, sample.N_UNDERLYING),
        ):
            file = minimum_bias.file_name(name, settings, n_events, sample.LIBRARY_SEED)
            ak.to_parquet(toy_particles.minimum_bias(), sample.cache_folder() / file)
        sample._libraries.cache_clear()
        yield folder
    sample._libraries.cache_clear()
