"""Commands without their figures, which take most of the time of many: for tests in which no figure is looked at.

The figures themselves are in tests/plots.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def without_figures() -> Iterator[None]:
    """The stage `plot` draws nothing in here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hnl.stages.plot._drawn", lambda todo, workers: iter(()))
        yield
