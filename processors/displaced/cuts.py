"""The cuts of the selection together, as a catalogue wants them."""

from dataclasses import dataclass
from typing import Self

from hnl import analysis as searches
from hnl.datasets.catalogue import Catalogue
from hnl.selections.events import EventCuts
from hnl.selections.jets import JetCuts
from hnl.selections.leptons import LeptonSettings
from hnl.selections.vertices import VertexCuts


@dataclass(frozen=True)
class Cuts:
    """Of Tables 1 and 2, and section 2."""

    leptons: LeptonSettings
    jets: JetCuts
    vertices: VertexCuts
    events: EventCuts

    @classmethod
    def of_catalogue(cls, catalogue: Catalogue) -> Self:
        """As a catalogue wants them."""
        return cls(
            searches.part(catalogue, LeptonSettings),
            searches.part(catalogue, JetCuts),
            searches.part(catalogue, VertexCuts),
            searches.part(catalogue, EventCuts),
        )
