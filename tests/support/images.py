"""Figures beside accepted pictures of them: drawn with our style, fonts and rasteriser of locked libraries, so that the
pixels are the same on any machine."""

import io
from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hnl.plots.style import look

DPI = 100  # at the size of the paper
MAX_DIFFERENCE = 1.0  # root mean square of the 0-255 of all pixels; a bar of a panel that changes by a tenth makes more

BASELINE = Path(__file__).parents[1] / "plots" / "baseline"


def pixels(figure: Figure) -> NDArray[np.float64]:
    """Rows, columns and colours of a figure, 0 to 255; closes it."""
    picture = io.BytesIO()
    with look():
        figure.savefig(picture, format="png", dpi=DPI)
    plt.close(figure)
    picture.seek(0)
    return 255 * np.asarray(plt.imread(picture), dtype=np.float64)[..., :3]


def difference(found: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Root mean square over all pixels; infinite for pictures of two sizes."""
    return float(np.sqrt(np.mean((found - expected) ** 2))) if found.shape == expected.shape else float("inf")


def compare(figure: Figure, name: str, *, update: bool, failed: Path) -> None:
    """Asserts that a figure looks as its accepted picture, or accepts it.

    Args:
        figure: drawn under `style`; is closed.
        name: of the picture in `BASELINE`, without suffix.
        update: write the picture instead.
        failed: folder for the new picture where it differs.
    """
    found, path = pixels(figure), BASELINE / f"{name}.png"
    if update:
        _write(path, found)
        return
    expected = 255 * np.asarray(plt.imread(path), dtype=np.float64)[..., :3]
    if (rms := difference(found, expected)) > MAX_DIFFERENCE:
        _write(failed / path.name, found)
        raise AssertionError(
            f"{failed / path.name} differs from {path} by {rms:.2f} > {MAX_DIFFERENCE}; look at both, and "
            "if the new one is right: make test-images-update"
        )


def style() -> AbstractContextManager[None]:
    """A context in which nobody's matplotlibrc counts."""
    return mpl.rc_context(mpl.rcParamsDefault | {"backend": "agg"})


def _write(path: Path, picture: NDArray[np.float64]) -> None:
    path.parent.mkdir(exist_ok=True)
    plt.imsave(path, picture.round().astype(np.uint8), metadata={"Software": None}, pil_kwargs={"optimize": True})
