"""Rare outcomes of the measurement, imposed on every event with their probability as weight.

A photon rarely converts, and a lepton is rarely measured badly. Where a process needs that for a candidate, each of its
events gets such an outcome, and the weight P(outcome). What is drawn then follows the distribution under the condition
that the outcome happened, so every expected yield stays that of natural draws. With T for 'some prompt lepton of a pair
is in the tail of the resolution' and C for 'some photon converts', the outcomes T, (not T and C) and (not T and not C)
share all events out: each belongs to one, and their weights add up to one.
"""

from __future__ import annotations

from typing import NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import particles, propagation, streams, tracking
from hnl.datasets.simulation.compiled import compiled
from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.parameters import DETECTOR, Detector
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows


class Outcome(NamedTuple):
    """What must happen to an event (True), must not (False), or is left to nature (None).

    Attributes:
        tail: at least one prompt e or mu (pT > 5 GeV, |eta| < 2.5) is in the tail of the track resolution. Counts only
            in events with two of them: from one alone no candidate can come.
        conversion: at least one photon with pT > 7 GeV and |eta| < 2.5 converts in the tracker.
    """

    tail: bool | None = None
    conversion: bool | None = None


NATURAL = Outcome()


def impose(
    outcome: Outcome, table: ak.Array, hard: ObjectRows, draws: Draws, detector: Detector = DETECTOR
) -> tuple[Draws, NDArray[np.float64]]:
    """Draws under the condition of an outcome, and its probability.

    Args:
        outcome: what must happen.
        table: the events as particle table.
        hard: their visible particles (propagation.py), with all photons unconverted.
        draws: the natural draws of the events.

    Returns:
        The draws to use, and the probability of the outcome, shape (events,): 0 where it is impossible.
    """
    probability = np.ones(len(table))
    for wanted, (rows, survival, purpose) in (
        (outcome.tail, _tails(table, hard, detector)),
        (outcome.conversion, _conversions(hard, detector)),
    ):
        if wanted is not None:
            # The numbers run so that the outcome happens above the survival probability.
            flip = purpose == tracking.TAIL
            draw = draws.uniform(rows.event, rows.uid, purpose)
            first = draws.uniform(np.arange(len(table)), np.zeros(len(table), np.int64), f"first {purpose}")
            draw, factor = condition(rows.event, 1 - draw if flip else draw, survival, first, wanted)
            draws = draws.giving(rows.event, rows.uid, purpose, 1 - draw if flip else draw)
            probability *= factor
    return draws, probability


def _tails(table: ak.Array, hard: ObjectRows, detector: Detector) -> tuple[ObjectRows, NDArray[np.float64], str]:
    """The prompt leptons of pairs, their probability to be measured well, and the draw that decides."""
    _, prompt = streams.prompt_leptons(table.particles)
    paired = particles.flat(prompt & (ak.sum(prompt, axis=1) > 1))
    first = np.cumsum(ak.to_numpy(ak.num(prompt))) - ak.to_numpy(ak.num(prompt))
    rows = hard[paired[first[hard.event] + hard.gen]]
    return rows, 1 - tracking.tail_probability(tracking.kind_of(rows.pdg), detector.tracker), tracking.TAIL


def _conversions(hard: ObjectRows, detector: Detector) -> tuple[ObjectRows, NDArray[np.float64], str]:
    """The photons that can convert into leptons of candidates, their probability not to, and the draw that decides."""
    pt = np.hypot(hard.px, hard.py)
    central = np.abs(hard.pz) < np.sinh(detector.tracker.abs_eta) * pt
    rows = hard[(hard.pdg == 22) & (pt > streams.PHOTON_PT) & central]
    return rows, propagation.survival(rows, detector.material)[:, -1], propagation.CONVERSION


@compiled
def condition(
    event: ObjectColumn, draw: ObjectColumn, survival: ObjectColumn, first: ObjectColumn, happens: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Uniform numbers under the condition that something happens to an object of the event, or to none.

    It happens to an object if its number is not below its survival probability s. With P = 1 - prod s, the first object
    j that it happens to is drawn with probability prod_{i<j} s_i (1 - s_j) / P. The numbers of objects before j are
    scaled into (0, s), that of j into (s, 1), and those after it stay.

    Args:
        event: index of the event of each object, ascending.
        draw: number of each object, uniform in (0, 1).
        survival: s of each object.
        first: a number of each event, uniform in (0, 1), which decides j.
        happens: to at least one object, or to none.

    Returns:
        The numbers under the condition, and its probability, P or 1 - P, shape (events,).
    """
    out, probability = draw.copy(), np.empty(len(first))
    start = 0
    for e in range(len(first)):
        stop, none = start, 1.0
        while stop < len(event) and event[stop] == e:
            none *= survival[stop]
            stop += 1
        probability[e] = 1.0 - none if happens else none
        so_far = 1.0
        for i in range(start, stop):
            so_far *= survival[i]
            if happens and first[e] * probability[e] < 1.0 - so_far:
                out[i] = survival[i] + draw[i] * (1.0 - survival[i])
                break
            out[i] = draw[i] * survival[i]
        start = stop
    return out, probability
