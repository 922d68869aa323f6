"""Enhanced decays of charm and bottom hadrons and of taus into e or mu, with exact weights.

Forcing every hadron to decay into a lepton would leave out the events in which only some do, and no weight repairs
that. So such decays are only made more likely. With a true branching ratio p into e or mu, their probability is k p.
The event is weighted by 1/k for each hadron that decays so and by (1-p)/(1-kp) for each that does not. The factors
multiply over all weakly decaying c and b hadrons (daughters of b hadrons included) and taus of the event. All final
states stay possible and the mean weight is one, so the normalisation is still the number of generated events.
"""

from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import particles

ENHANCED = (411, 421, 431, 4122, 4132, 4232, 4332, 511, 521, 531, 541, 5122, 5132, 5232, 5332, 15)
"""Ground states with charm or bottom, and tau (PDG identities)."""


def enhance(pythia: Any, factor: float) -> dict[int, float]:
    """Multiply the branching ratios of direct decays into e or mu by ``factor``.

    Args:
        pythia: an initialised Pythia; changed in place.
        factor: k, up to 2 (the largest p is 0.35).

    Returns:
        The true branching ratio p of each hadron (with both lepton flavours), from Pythia's table.
    """
    truth = {}
    for hadron in ENHANCED:
        entry = pythia.particleData.particleDataEntryPtr(hadron)
        channels = [entry.channel(i) for i in range(entry.sizeChannels())]
        leptonic = [any(abs(c.product(i)) in (11, 13) for i in range(c.multiplicity())) for c in channels]
        # Some modes are listed twice: 2 for the particle, 3 for the antiparticle.
        ratios = [c.bRatio() if c.onMode() in (1, 2) else 0.0 for c in channels]
        p = sum(ratio for ratio, chosen in zip(ratios, leptonic, strict=True) if chosen) / sum(ratios)
        for channel, chosen in zip(channels, leptonic, strict=True):
            channel.bRatio(channel.bRatio() * (factor if chosen else (1 - factor * p) / (1 - p)))
        truth[hadron] = p
    return truth


def event_weights(all_particles: ak.Array, factor: float, truth: dict[int, float]) -> NDArray[np.float64]:
    """Weight of each event made with :func:`enhance`, shape (events,).

    Args:
        all_particles: ``table.particles``.
        factor: k.
        truth: p of each hadron, from :func:`enhance`.
    """
    kind = abs(all_particles.pdg_id)
    to_lepton = particles.has_child(all_particles, (kind == 11) | (kind == 13))
    weights = ak.ones_like(kind, dtype=np.float64)
    for hadron, p in truth.items():
        weight = ak.where(to_lepton, 1 / factor, (1 - p) / (1 - factor * p))
        weights = ak.where(kind == hadron, weight, weights)
    return np.asarray(ak.prod(weights, axis=1))
