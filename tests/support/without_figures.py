"""Stages without their figures, which take most of the time of many: for tests in which no figure is looked at.

The figures themselves are in tests/plots; every stage draws its own in one test at least.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

DRAWING = (
    "hnl.plots.displaced.abcd.draw_all",
    "hnl.plots.classifier.draw_all",
    "hnl.plots.distributions.draw_all",
    "hnl.plots.displaced.k0s.draw_all",
    "hnl.plots.displaced.limits.draw_limits",
    "hnl.plots.fits.draw_fits",
)


@contextmanager
def without_figures() -> Iterator[None]:
    """Every stage in here draws nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for function in DRAWING:
            patch.setattr(function, lambda *_: [])
        yield
