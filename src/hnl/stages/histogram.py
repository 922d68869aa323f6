"""Stage `histogram`: candidates -> histograms."""

from hnl import layout
from hnl.datasets.variations import NOMINAL
from hnl.histograms import files
from hnl.histograms.fill import Histograms, fill
from hnl.stages.run import Run


def run(at: Run) -> Histograms:
    """Fills histograms with nominal weights, normalised to the luminosity, and writes them as ROOT and UHI JSON.

    Data are not filled where they are hidden (`Distributions.hidden`), unless the run is unblinded.

    Raises:
        SelectionError, InputError: see `selection.load`.
    """
    filled = {}
    for dataset in at.selection.catalogue.datasets:
        candidates = at.selection.candidates(dataset.name)
        filled[dataset.name] = candidates, at.selection.weights(dataset, candidates)[NOMINAL]
    blinded = () if at.unblinded else [d.name for d in at.selection.catalogue.datasets if d.is_data]
    histograms = fill(filled, at.analysis.distributions, blinded)
    files.write_root(at.out / layout.HISTOGRAMS_ROOT, histograms)
    files.write_json(at.out / layout.HISTOGRAMS, histograms)
    return histograms
