"""What the tests of figures share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import images
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

Looks = Callable[[Figure, str], None]


@pytest.fixture(autouse=True)
def close() -> Iterator[None]:
    """No figure is left open."""
    yield
    plt.close("all")


@pytest.fixture
def looks_as_accepted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Looks]:
    """Compares a figure with tests/plots/baseline/NAME.png; with --update-images writes it."""
    update = request.config.getoption("--update-images")
    with images.style():
        yield lambda figure, name: images.compare(figure, name, update=update, failed=tmp_path)
