"""What every selection begins and ends with, as a coffea processor: a search adds its own requirements and columns."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import awkward as ak
import numpy as np
from coffea.processor import ProcessorABC, column_accumulator
from numpy.typing import NDArray

from hnl.datasets import generator_weights, golden, nanoaod
from hnl.datasets.arrays import Events, PerEvent
from hnl.datasets.catalogue import Catalogue, Dataset, Era
from hnl.processors.columns import EVENT_COLUMNS, Column
from hnl.processors.cutflow import Cutflow
from hnl.selections import triggers

N_INTERACTIONS = 200  # steps of the pileup profile; the last holds all above
CERTIFIED = "certified luminosity section"
FLAVOURS = ("electron", "muon")  # of single-lepton triggers


@dataclass(frozen=True)
class EventsOfUnit:
    """The events of one work unit, and what is known of them before any object is looked at.

    Attributes:
        events: NanoEvents, all of the unit.
        dataset: what they are.
        era: of the dataset.
        weights: generator weight per event, 1 for data.
        varied: variation of the generator's weights -> factor per event.
        fired: 'electron' and 'muon' -> bool per event: a single-lepton trigger of the era fired.
        cutflow: to which the search adds its requirements.
        facts: of the unit, for its manifest; numbers that are added up over units.
        lists: of the unit, by name of `SelectionProcessor.lists`, see `processors.lists`; none by default.
    """

    events: Events
    dataset: Dataset
    era: Era
    weights: NDArray[np.float64]
    varied: Mapping[str, NDArray[np.float64]]
    fired: Mapping[str, NDArray[np.bool_]]
    cutflow: Cutflow
    facts: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, np.ndarray] = field(default_factory=dict)


class SelectionProcessor(ProcessorABC):  # type: ignore[misc]
    """NanoEvents -> candidates and a cutflow. A search has `columns` of its own, and `select`.

    Args:
        catalogue: tells for `events.metadata['dataset']` what it is and which triggers belong to it.
    """

    columns: ClassVar[tuple[Column, ...]] = EVENT_COLUMNS  # of the candidates, `EVENT_COLUMNS` first
    lists: ClassVar[tuple[Column, ...]] = ()  # of candidates, beside their columns: see `processors.lists`
    categories: ClassVar[tuple[str, ...]] = ()  # that the cutflow tells apart, see `Cutflow.categorise`
    triggers: ClassVar[tuple[str, ...]] = FLAVOURS  # whose triggers select events

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    @abstractmethod
    def select(self, unit: EventsOfUnit) -> Mapping[str, np.ndarray]:
        """Adds requirements to the cutflow of a unit, and fills the columns of its candidates.

        Args:
            unit: its cutflow has the golden JSON and the trigger.

        Returns:
            One array per column of `columns`, one entry per candidate. `event_columns` makes those of the event.
        """

    def process(self, events: Events) -> dict[str, Any]:
        """Selects the events of one work unit.

        Returns:
            {dataset: {candidates, lists: {column: column_accumulator}, cutflow, n_minus_one: see `Cutflow`,
            events: int, sum_w: float, sum_w2: float, variation_sums: {variation: float}, pileup_profile: sums of
            weights in steps of one true interaction, and the facts of the search}}, which adds up over units.
        """
        dataset = self.catalogue.dataset(events.metadata["dataset"])
        era = self.catalogue.era(dataset)
        weights = generator_weight(events, dataset)
        varied = generator_weights.factors(events, dataset.generator_weights)
        sums: dict[str, Any] = {
            "events": len(weights),
            "sum_w": float(weights.sum()),
            "sum_w2": float((weights**2).sum()),
            "variation_sums": {name: float((weights * factor).sum()) for name, factor in varied.items()},
            "pileup_profile": _pileup_profile(events, weights),
        }
        cutflow, fired = begin(events, dataset, era, weights, self.triggers, self.categories)
        unit = EventsOfUnit(events, dataset, era, weights, varied, fired, cutflow)
        columns = self.select(unit)
        return {
            dataset.name: {
                "candidates": {c.name: column_accumulator(columns[c.name].astype(c.dtype)) for c in self.columns},
                "lists": {name: column_accumulator(values) for name, values in unit.lists.items()},
                "cutflow": cutflow.counts(),
                "n_minus_one": cutflow.n_minus_one(),
                **sums,
                **unit.facts,
            }
        }

    def postprocess(self, accumulator: dict[str, Any]) -> dict[str, Any]:
        """Nothing is left to do after the units are added up."""
        return accumulator


def generator_weight(events: Events, dataset: Dataset) -> NDArray[np.float64]:
    """Per event, float64; 1 for data."""
    return np.ones(len(events)) if dataset.is_data else ak.to_numpy(events.genWeight).astype(np.float64)


def begin(
    events: Events,
    dataset: Dataset,
    era: Era,
    weights: NDArray[np.float64],
    flavours: tuple[str, ...] = FLAVOURS,
    categories: tuple[str, ...] = (),
) -> tuple[Cutflow, dict[str, NDArray[np.bool_]]]:
    """A cutflow with the first two requirements, golden JSON and trigger; and which triggers fired, by flavour.

    Args:
        events: NanoEvents.
        dataset, era: of the events.
        weights: per event.
        flavours: of leptons whose triggers select events.
        categories: see `Cutflow`.
    """
    cutflow = Cutflow(weights, categories)
    fired = {flavour: triggers.fired(events.HLT, getattr(era.triggers, flavour), len(events)) for flavour in FLAVOURS}
    cutflow.require(CERTIFIED, certified(events, dataset, era))
    name = "lepton" if len(flavours) > 1 else flavours[0]
    selected = np.logical_or.reduce([fired[flavour] for flavour in flavours])
    cutflow.require(f"single-{name} trigger", recorded_in(dataset, fired) & selected)
    return cutflow, fired


def certified(events: Events, dataset: Dataset, era: Era) -> NDArray[np.bool_]:
    """Golden JSON for data; simulation is always good."""
    if not dataset.is_data or era.golden_json is None:
        return np.ones(len(events), dtype=bool)
    return golden.read(era.golden_json).holds(ak.to_numpy(events.run), ak.to_numpy(events.luminosityBlock))


def recorded_in(dataset: Dataset, fired: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Whether the event belongs to this dataset: a trigger of its own fired, and none that it leaves to another."""
    belongs: NDArray[np.bool_] = np.logical_or.reduce([fired[group] for group in dataset.triggers])
    for group in dataset.veto_triggers:
        belongs &= ~fired[group]
    return belongs


def event_columns(unit: EventsOfUnit, chosen: NDArray[np.bool_]) -> dict[str, np.ndarray]:
    """`EVENT_COLUMNS` of the chosen events; NaN throughout where the file has none. All pass, in nominal alone.

    Args:
        unit: of the events.
        chosen: bool per event of the unit.
    """
    events = unit.events[chosen]
    missing = np.full(len(events), np.nan)
    result = {column.name: missing for column in EVENT_COLUMNS}
    result |= {name: numbers(values) for name, values in identity(events).items() if values is not None}
    result |= {name: numbers(values) for name, values in prefiring(events, unit.dataset).items() if values is not None}
    result |= {"gen_weight": unit.weights[chosen], "passes": np.ones(len(events), dtype=np.uint64)}
    return result | {f"weight_{name}": factor[chosen] for name, factor in unit.varied.items()}


def identity(events: Events) -> dict[str, PerEvent | None]:
    """Columns that say which event it is; None where the file has none."""
    generator_event = nanoaod.field(events, "hnlsim_generatorEvent")
    return {
        "run": events.run,
        "luminosity_block": events.luminosityBlock,
        "event": events.event,
        "generator_event": events.event if generator_event is None else generator_event,
        "n_true_interactions": nanoaod.field(events, "Pileup_nTrueInt"),
    }


def prefiring(events: Events, dataset: Dataset) -> dict[str, PerEvent | None]:
    """Weights of triggers that fired early. Data of some versions have them as well; they are not for data."""
    if dataset.is_data:
        return {}
    return {column: nanoaod.field(events, branch) for column, branch in nanoaod.PREFIRING.items()}


def numbers(values: PerEvent) -> np.ndarray:
    """A column of candidates; none of its values is missing."""
    result: np.ndarray = ak.to_numpy(values, allow_missing=False)
    return result


def _pileup_profile(events: Events, weights: NDArray[np.float64]) -> np.ndarray:
    """Sums of weights by true interactions, 0-1, 1-2 ... (`N_INTERACTIONS`); zero where the file does not tell."""
    interactions = nanoaod.field(events, "Pileup_nTrueInt")
    if interactions is None:
        return np.zeros(N_INTERACTIONS)
    bins = np.clip(ak.to_numpy(interactions), 0, N_INTERACTIONS - 1).astype(np.int64)
    return np.bincount(bins, weights, N_INTERACTIONS)
