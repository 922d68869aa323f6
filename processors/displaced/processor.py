"""The selection of the paper's section 4, as a coffea processor."""

import awkward as ak
import numpy as np

from hnl.corrections import jets as jet_energies
from hnl.datasets import nanoaod, trigger_bits
from hnl.processors.base import EventsOfUnit, SelectionProcessor
from hnl.processors.displaced import candidate, constituents, efficiencies, jet_variations
from hnl.processors.displaced.columns import COLUMNS
from hnl.processors.displaced.constituents import LISTS
from hnl.processors.displaced.cuts import Cuts
from hnl.selections import events as two_leptons
from hnl.selections import leptons, triggers, vertices
from hnl.selections.displaced.categories import CATEGORIES, category

SIGNAL_SELECTION = "N(jets) = 1"
L2_STAGE = "N(nonprompt l2) = 1"
JET_STAGE = "N(jets) >= 1"


class DisplacedProcessor(SelectionProcessor):
    """NanoEvents -> candidates (`columns.COLUMNS`) and a cutflow.

    Candidates pass Table 2 but for N(jets) = 1: those with more jets are the validation region. Simulation has rows for
    the variations of jet energies as well (`jet_variations.candidate_rows`); cutflows are those of nominal.
    """

    columns = COLUMNS
    lists = LISTS
    categories = CATEGORIES

    def select(self, unit: EventsOfUnit) -> dict[str, np.ndarray]:
        """The order of section 4. Facts of a unit: `nanoaod.sv_index_counts`, and of signals `efficiencies.counts`."""
        cuts = Cuts.of_catalogue(self.catalogue)
        events, dataset, era, cutflow, fired = unit.events, unit.dataset, unit.era, unit.cutflow, unit.fired
        electrons, muons = nanoaod.electrons(events), nanoaod.muons(events)
        unit.facts["sv_index"] = nanoaod.sv_index_counts(ak.num(events.SV.pt), electrons.sv_index, muons.sv_index)
        of_leptons = cuts.leptons
        prompt = leptons.prompt_electrons(electrons, era.year, of_leptons), leptons.prompt_muons(muons, of_leptons)
        nonprompt = leptons.nonprompt_electrons(electrons, of_leptons), leptons.nonprompt_muons(muons, of_leptons)
        if found := efficiencies.counts(unit, nonprompt, cuts.vertices):
            unit.facts["efficiencies"] = found
        n_prompt, n_nonprompt = (ak.to_numpy(ak.num(e) + ak.num(mu)) for e, mu in (prompt, nonprompt))

        cutflow.require("N(prompt l1) = 1", n_prompt == 1)
        with_l1 = n_prompt > 0
        l1 = leptons.leading(*(flavour[with_l1] for flavour in prompt))
        hlt_objects = nanoaod.trigger_objects(events[with_l1])
        bits = trigger_bits.read_bits(events, era.year)
        fired = {flavour: mask[with_l1] for flavour, mask in fired.items()}
        hlt = triggers.matched_to_hlt(l1, hlt_objects, fired["electron"], fired["muon"], bits, cuts.events)
        cutflow.require("l1 matched to HLT", hlt, among=with_l1)

        # From here on only events with a pair: the rest cannot pass, not even with one requirement left out.
        pair = with_l1 & (n_nonprompt > 0)
        events, l1 = events[pair], l1[pair[with_l1]]
        l2 = leptons.leading(*(flavour[pair] for flavour in nonprompt))
        file_jets, energies = nanoaod.jets(events), jet_energies.jet_settings(dataset, era)
        nominal_factors = jet_energies.nominal_factors(energies, file_jets, events, cuts.jets)
        nominal = jet_variations.choose_jet(l1, l2, jet_energies.scaled(file_jets, nominal_factors), cuts.jets)
        sv = vertices.of_lepton(events, l2, cuts.vertices)
        m_l1_l2 = ak.to_numpy(two_leptons.mass(l1, l2))
        same_sign = ak.to_numpy(l1.charge == l2.charge)
        kind = category(ak.to_numpy(l1.flavour), ak.to_numpy(l2.flavour), same_sign)
        dimuon = ak.to_numpy((l1.flavour == 13) & (l2.flavour == 13))

        cutflow.categorise(kind, pair, from_stage=L2_STAGE)
        cutflow.require(L2_STAGE, n_nonprompt == 1)
        near_stage = f"Delta R(l2, jet) < {cuts.jets.delta_r_l2:g}"
        cutflow.require(JET_STAGE, nominal.exists, among=pair)
        cutflow.require(near_stage, nominal.near, among=pair)
        cutflow.require("l2 in SV", ~ak.is_none(sv), among=pair)
        least, apart, (low, high) = cuts.events.m_l1_l2, cuts.events.delta_phi, cuts.events.z_window
        cutflow.require(f"m(l1, l2) > {least:g} GeV", m_l1_l2 > least, among=pair)
        separated = two_leptons.separated_in_phi(l1, l2, cuts.events)
        cutflow.require(f"|Delta phi(l1, l2)| > {apart:g}", separated, among=pair)
        outside = two_leptons.outside_z_window(m_l1_l2, dimuon, ~same_sign, cuts.events)
        cutflow.require(f"m(mumu) outside {low:g}-{high:g} GeV", outside, among=pair)
        left = cutflow.passed(without=(JET_STAGE, near_stage))[pair]
        cutflow.require(SIGNAL_SELECTION, nominal.n_jets == 1, among=pair)

        # Once more the jets, in every variation, of the events that have all the rest.
        events, l1, l2, file_jets, sv = (each[left] for each in (events, l1, l2, file_jets, sv))
        sv = ak.drop_none(sv)
        factors = jet_energies.factors(energies, file_jets, events, cuts.jets)
        rows = jet_variations.candidate_rows(l1, l2, file_jets, factors, cuts.jets)
        inside = constituents.of_rows(events, rows)
        if inside is not None:
            unit.lists.update(constituents.lists_of(events, l2, rows, inside))
        columns = candidate.columns(events, l1, l2, sv, rows, inside, dataset)
        of_event = {"gen_weight": unit.weights[pair], "category": kind, "m_l1_l2": m_l1_l2}
        of_event |= {f"weight_{name}": factor[pair] for name, factor in unit.varied.items()}
        columns |= {name: values[left][rows.event] for name, values in of_event.items()}
        return columns
