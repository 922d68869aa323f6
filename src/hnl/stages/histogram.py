"""Stage `histogram`: candidates -> histograms."""

from hnl import layout
from hnl.datasets.variations import up_down
from hnl.histograms import files
from hnl.histograms.fill import Histograms, fill_varied
from hnl.stages.run import Run


def run(at: Run) -> Histograms:
    """Fills histograms, normalised to the luminosity, and writes them as ROOT and UHI JSON.

    They have nominal weights; beside them are those of the variations of the weights that the catalogue adds.

    Data are not filled where they are hidden (`Distributions.hidden`), unless the run is unblinded.

    Raises:
        SelectionError, InputError: see `selection.load`.
    """
    filled, own = {}, []
    for dataset in at.selection.catalogue.datasets:
        candidates = at.selection.candidates(dataset.name)
        filled[dataset.name] = candidates, at.selection.weights(dataset, candidates)
        applied = [weight for weight in at.selection.catalogue.weights if weight.applies_to(dataset)]
        own += [name for weight in applied for name in up_down(weight.parameter(dataset.era))]
    blinded = () if at.unblinded else [d.name for d in at.selection.catalogue.datasets if d.is_data]
    histograms = fill_varied(filled, at.analysis.distributions, list(dict.fromkeys(own)), blinded)
    files.write_root(at.out / layout.HISTOGRAMS_ROOT, histograms)
    files.write_json(at.out / layout.HISTOGRAMS, histograms)
    return histograms
