"""Stage `histogram`: candidates -> histograms."""

from pathlib import Path

from hnl.histograms import files
from hnl.histograms.fill import Histograms, fill
from hnl.pipeline import selection as selections

FILES = ("histograms.root", "histograms.json")


def histogram(out: Path) -> Histograms:
    """Fills histograms, normalised to the luminosity, and writes them as ROOT and UHI JSON.

    Args:
        out: output folder with a finished selection.

    Raises:
        SelectionError, InputError: see `selection.load`.
    """
    selection = selections.load(out)
    histograms = fill(
        {d.name: (selection.candidates(d.name), selection.scale(d)) for d in selection.catalogue.datasets}
    )
    files.write_root(out / FILES[0], histograms)
    files.write_json(out / FILES[1], histograms)
    return histograms
