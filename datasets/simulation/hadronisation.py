"""Parton-level events that become hadrons several times.

To make the partons of an event takes longer than to make their hadrons, and few events have the partons that background
candidates need. So one Pythia makes events of partons alone. Those that a filter has chosen are put into the event
record of a second one, the carrier, which hadronises and decays them as often as asked for. The carrier's own process
is thrown away. The hadrons decay with the particle data of the first Pythia, so branching ratios are changed there.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import awkward as ak
import numpy as np
import pythia8mc
from numpy.typing import NDArray

from hnl.datasets.simulation import pythia

_CARRIER = (
    "WeakSingleBoson:ffbar2gmZ = on",  # the shortest event: Z -> neutrinos, without radiation
    "23:onMode = off",
    "23:onIfAny = 12",
    "PartonLevel:MPI = off",
    "PartonLevel:ISR = off",
    "PartonLevel:FSR = off",
    "BeamRemnants:primordialKT = off",
)


class _Recorder(pythia8mc.UserHooks):  # type: ignore[misc]
    """Keeps a copy of each parton-level event. Its number goes with it, in a field of the record's entry for the whole
    event that nothing else uses, because Pythia may try an event several times or give it up."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def canVetoPartonLevel(self) -> bool:  # noqa: N802
        return True

    def doVetoPartonLevel(self, event: Any) -> bool:  # noqa: N802
        event[0].tau(float(len(self.events)))
        event[0].vProd(0.0, 0.0, 0.0, 0.0)  # nextBatch fails where nothing has a vertex, as in QCD without hadrons
        self.events.append(pythia8mc.Event(event))
        return False


class _Feeder(pythia8mc.UserHooks):  # type: ignore[misc]
    """Puts the next event of a queue in the place of each parton-level event, with its number as above."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: list[Any] = []
        self.number = -1

    def canVetoProcessLevel(self) -> bool:  # noqa: N802
        return True

    def doVetoProcessLevel(self, process: Any) -> bool:  # noqa: N802
        self.number += 1  # here and not below: a hadronisation that fails is tried again from the partons
        return False

    def canVetoPartonLevel(self) -> bool:  # noqa: N802
        return True

    def doVetoPartonLevel(self, event: Any) -> bool:  # noqa: N802
        event.assign(self.queue[self.number])
        event[0].tau(float(self.number))
        return False


class Hadroniser:
    """A generator of parton-level events, and the carrier that hadronises them.

    Args:
        settings: Pythia settings of the process.
        hadron_settings: further ones of the carrier, such as those of tau decays.
        seeds: of the partons and of the hadrons.

    Attributes:
        source: the first Pythia.
    """

    def __init__(self, settings: Sequence[str], hadron_settings: Sequence[str], seeds: tuple[int, int]) -> None:
        self._recorder, self._feeder = _Recorder(), _Feeder()
        self.source = pythia.start([*settings, "HadronLevel:all = off"], seeds[0], self._recorder)
        self._carrier = pythia.start([*_CARRIER, *hadron_settings], seeds[1], self._feeder)

    def partons(self, n_events: int) -> ak.Array:
        """A batch of parton-level events, without the very few that Pythia cannot finish."""
        self._recorder.events.clear()
        return self.source.nextBatch(n_events)

    def hadronise(
        self, batch: ak.Array, chosen: NDArray[np.bool_], copies: int
    ) -> Iterator[tuple[ak.Array, NDArray[np.int64], NDArray[np.int64]]]:
        """Hadronises the chosen events of the last batch of :meth:`partons`.

        Args:
            batch: that batch.
            chosen: bool, shape (events,).
            copies: number of hadronisations of each event.

        Yields:
            Batches of up to :data:`hnl.datasets.simulation.pythia.BATCH` complete events, without the very few that
            Pythia cannot finish; the position in ``batch`` of the event that each was made from, and the number of the
            copy.
        """
        records = np.asarray(batch.prt.tau[:, 0], np.int64)
        origin = np.repeat(np.flatnonzero(chosen), copies)
        for first in range(0, len(origin), pythia.BATCH):
            these = origin[first : first + pythia.BATCH]
            self._feeder.queue = [self._recorder.events[records[i]] for i in these]
            self._feeder.number = -1
            made = self._carrier.nextBatch(len(these))
            number = np.asarray(made.prt.tau[:, 0], np.int64)
            yield made, these[number], (first + number) % copies
