"""The selection of the paper's section 4, as a coffea processor."""

from typing import Any

import awkward as ak
import numpy as np
from coffea.processor import ProcessorABC, column_accumulator

from hnl.corrections import jets as jet_energies
from hnl.datasets import generator_weights, golden, nanoaod, trigger_bits
from hnl.datasets.catalogue import Catalogue, Dataset, Era
from hnl.processors.cutflow import Cutflow
from hnl.processors.displaced import candidate, jet_variations
from hnl.processors.displaced.columns import COLUMNS
from hnl.selections import events as two_leptons
from hnl.selections import leptons, triggers, vertices
from hnl.selections.displaced.categories import category

N_INTERACTIONS = 200  # steps of the pileup profile; the last holds all above
CERTIFIED = "certified luminosity section"
SIGNAL_SELECTION = "N(jets) = 1"
L2_STAGE = "N(nonprompt l2) = 1"
JET_STAGES = ("N(jets) >= 1", "Delta R(l2, jet) < 0.7")


class DisplacedProcessor(ProcessorABC):  # type: ignore[misc]
    """NanoEvents -> candidates (`columns.COLUMNS`) and a cutflow.

    Candidates pass Table 2 but for N(jets) = 1: those with more jets are the validation region. Simulation has rows for
    the variations of jet energies as well (`jet_variations.rows`); cutflows are those of nominal.

    Args:
        catalogue: tells for `events.metadata['dataset']` what it is and which triggers belong to it.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def process(self, events: Any) -> dict[str, Any]:
        """Selects the events of one work unit.

        Returns:
            {dataset: {candidates: {column: column_accumulator}, cutflow, n_minus_one: see `Cutflow`,
            events: int, sum_w: float, sum_w2: float, variation_sums: {variation: float}, pileup_profile: sums of
            weights in steps of one true interaction, sv_index: see `nanoaod.sv_index_counts`}}, which adds up over
            units.
        """
        dataset = self.catalogue.dataset(events.metadata["dataset"])
        era = self.catalogue.era(dataset)
        weights = np.ones(len(events)) if dataset.is_data else ak.to_numpy(events.genWeight).astype(np.float64)
        varied = generator_weights.factors(events, dataset.generator_weights)
        sums: dict[str, Any] = {
            "events": len(weights),
            "sum_w": float(weights.sum()),
            "sum_w2": float((weights**2).sum()),
            "variation_sums": {name: float((weights * factor).sum()) for name, factor in varied.items()},
            "pileup_profile": _pileup_profile(events, weights),
        }
        cutflow = Cutflow(weights)

        fired = {
            "electron": triggers.fired(events.HLT, era.triggers.electron, len(events)),
            "muon": triggers.fired(events.HLT, era.triggers.muon, len(events)),
        }
        cutflow.require(CERTIFIED, certified(events, dataset, era))
        cutflow.require("single-lepton trigger", recorded_in(dataset, fired))

        electrons, muons = nanoaod.electrons(events), nanoaod.muons(events)
        sums["sv_index"] = nanoaod.sv_index_counts(ak.num(events.SV.pt), electrons.sv_index, muons.sv_index)
        prompt = leptons.prompt_electrons(electrons, era.year), leptons.prompt_muons(muons)
        nonprompt = leptons.nonprompt_electrons(electrons), leptons.nonprompt_muons(muons)
        n_prompt, n_nonprompt = (ak.to_numpy(ak.num(e) + ak.num(mu)) for e, mu in (prompt, nonprompt))

        cutflow.require("N(prompt l1) = 1", n_prompt == 1)
        with_l1 = n_prompt > 0
        l1 = leptons.leading(*(flavour[with_l1] for flavour in prompt))
        hlt_objects = nanoaod.trigger_objects(events[with_l1])
        bits = trigger_bits.read_bits(events, era.year)
        hlt = triggers.matched_to_hlt(l1, hlt_objects, fired["electron"][with_l1], fired["muon"][with_l1], bits)
        cutflow.require("l1 matched to HLT", hlt, among=with_l1)

        # From here on only events with a pair: the rest cannot pass, not even with one requirement left out.
        pair = with_l1 & (n_nonprompt > 0)
        events, l1 = events[pair], l1[pair[with_l1]]
        l2 = leptons.leading(*(flavour[pair] for flavour in nonprompt))
        file_jets, energies = nanoaod.jets(events), jet_energies.jet_settings(dataset, era)
        nominal = jet_variations.choose_jet(
            l1, l2, jet_energies.scaled(file_jets, jet_energies.nominal_factors(energies, file_jets, events))
        )
        sv = _vertex_of(l2, events)
        m_l1_l2 = ak.to_numpy(two_leptons.mass(l1, l2))
        same_sign = ak.to_numpy(l1.charge == l2.charge)
        kind = category(ak.to_numpy(l1.flavour), ak.to_numpy(l2.flavour), same_sign)
        dimuon = ak.to_numpy((l1.flavour == 13) & (l2.flavour == 13))

        cutflow.categorise(kind, pair, from_stage=L2_STAGE)
        cutflow.require(L2_STAGE, n_nonprompt == 1)
        cutflow.require(JET_STAGES[0], nominal.exists, among=pair)
        cutflow.require(JET_STAGES[1], nominal.near, among=pair)
        cutflow.require("l2 in SV", ~ak.is_none(sv), among=pair)
        cutflow.require("m(l1, l2) > 10 GeV", m_l1_l2 > two_leptons.MIN_MASS_L1_L2, among=pair)
        cutflow.require("|Delta phi(l1, l2)| > 0.4", two_leptons.separated_in_phi(l1, l2), among=pair)
        cutflow.require(
            "m(mumu) outside 85-95 GeV", two_leptons.outside_z_window(m_l1_l2, dimuon, ~same_sign), among=pair
        )
        left = cutflow.passed(without=JET_STAGES)[pair]
        cutflow.require(SIGNAL_SELECTION, nominal.n_jets == 1, among=pair)

        # Once more the jets, in every variation, of the events that have all the rest.
        events, l1, l2, file_jets, sv = (each[left] for each in (events, l1, l2, file_jets, sv))
        sv = ak.drop_none(sv)
        rows = jet_variations.candidate_rows(l1, l2, file_jets, jet_energies.factors(energies, file_jets, events))
        columns = candidate.columns(events, l1, l2, sv, rows, dataset)
        of_event = {"gen_weight": weights[pair], "category": kind, "m_l1_l2": m_l1_l2}
        of_event |= {f"weight_{name}": factor[pair] for name, factor in varied.items()}
        columns |= {name: values[left][rows.event] for name, values in of_event.items()}
        return {
            dataset.name: {
                "candidates": {c.name: column_accumulator(columns[c.name].astype(c.dtype)) for c in COLUMNS},
                "cutflow": cutflow.counts(),
                "n_minus_one": cutflow.n_minus_one(),
                **sums,
            }
        }

    def postprocess(self, accumulator: Any) -> Any:
        """Nothing is left to do after the units are added up."""
        return accumulator


def certified(events: Any, dataset: Dataset, era: Era) -> np.ndarray:
    """Golden JSON for data; simulation is always good."""
    if not dataset.is_data or era.golden_json is None:
        return np.ones(len(events), dtype=bool)
    return golden.read(era.golden_json).holds(ak.to_numpy(events.run), ak.to_numpy(events.luminosityBlock))


def _pileup_profile(events: Any, weights: np.ndarray) -> np.ndarray:
    """Sums of weights by true interactions, 0-1, 1-2 ... (`N_INTERACTIONS`); zero where the file does not tell."""
    interactions = nanoaod.field(events, "Pileup_nTrueInt")
    if interactions is None:
        return np.zeros(N_INTERACTIONS)
    bins = np.clip(ak.to_numpy(interactions), 0, N_INTERACTIONS - 1).astype(np.int64)
    return np.bincount(bins, weights, N_INTERACTIONS)


def recorded_in(dataset: Dataset, fired: dict[str, np.ndarray]) -> np.ndarray:
    """Whether the event belongs to this dataset: a trigger of its own fired, and none that it leaves to another."""
    belongs: np.ndarray = np.logical_or.reduce([fired[group] for group in dataset.triggers])
    for group in dataset.veto_triggers:
        belongs &= ~fired[group]
    return belongs


def _vertex_of(l2: Any, events: Any) -> Any:
    """Sections 2 and 4: the vertex that holds the track of l2, None if that is none or not displaced."""
    sv_index = l2.sv_index if nanoaod.has_sv_index(events) else None
    sv = vertices.of_track(nanoaod.vertices(events), events.PV, l2, sv_index)
    return ak.mask(sv, ak.fill_none(vertices.displaced(sv), False))
