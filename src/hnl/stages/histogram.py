"""Stage `histogram`: candidates -> histograms."""

from pathlib import Path

from hnl.datasets.corrections import NOMINAL
from hnl.histograms import files
from hnl.histograms.fill import Histograms, fill
from hnl.processors import selection as selections

FILES = ("histograms.root", "histograms.json")


def histogram(out: Path) -> Histograms:
    """Fills histograms with nominal weights, normalised to the luminosity, and writes them as ROOT and UHI JSON.

    Args:
        out: output folder with a finished selection.

    Raises:
        SelectionError, InputError: see `selection.load`.
    """
    selection = selections.load(out)
    filled = {}
    for dataset in selection.catalogue.datasets:
        candidates = selection.candidates(dataset.name)
        filled[dataset.name] = candidates, selection.weights(dataset, candidates)[NOMINAL]
    histograms = fill(filled)
    files.write_root(out / FILES[0], histograms)
    files.write_json(out / FILES[1], histograms)
    return histograms
