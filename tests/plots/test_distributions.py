"""Distributions of candidates: what is written on them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import synthetic

from hnl.datasets.catalogue import Catalogue, Era
from hnl.histograms.displaced.distributions import BY_CATEGORY, DISTRIBUTIONS
from hnl.histograms.fill import fill
from hnl.plots import distributions


@pytest.mark.parametrize(
    ("eras", "label"),
    [({"2018": 59.8}, "59.8 fb$^{-1}$ (13 TeV)"), ({"2018": 59.8, "2022": 8.0}, "67.8 fb$^{-1}$ (13, 13.6 TeV)")],
)
def test_luminosity_and_energy(eras: dict[str, float], label: str) -> None:
    datasets = tuple(synthetic.background(f"w{name}", "wjets", era=name) for name in eras)
    catalogue = Catalogue(
        eras={
            name: Era(year=int(name), luminosity=luminosity, triggers=synthetic.TRIGGERS)
            for name, luminosity in (eras | {"2017": 41.5}).items()  # of 2017 there are no datasets
        },
        datasets=datasets,
    )
    filled = fill({dataset.name: (synthetic.candidates(20), np.ones(20)) for dataset in datasets}, DISTRIBUTIONS)
    figure = distributions.by_panel(filled["m_sv"][:, "SR", ...], BY_CATEGORY, catalogue, with_data=False)
    assert label in [text.get_text() for text in figure.texts]
    plt.close(figure)
