"""The selection of the paper's section 4, as a coffea processor."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from coffea.lumi_tools import LumiMask
from coffea.processor import ProcessorABC, column_accumulator

from hnl.datasets import nanoaod
from hnl.datasets.catalogue import Catalogue, Dataset, Era
from hnl.processors.columns import COLUMNS
from hnl.processors.cutflow import Cutflow
from hnl.selections import events as two_leptons
from hnl.selections import jets, leptons, particles, triggers, truth, vertices
from hnl.selections.categories import category

SIGNAL_SELECTION = "N(jets) = 1"
L2_STAGE = "N(nonprompt l2) = 1"


class DisplacedProcessor(ProcessorABC):  # type: ignore[misc]
    """NanoEvents -> candidates (`columns.COLUMNS`) and a cutflow.

    Candidates pass Table 2 but for N(jets) = 1: those with more jets are the validation region.

    Args:
        catalogue: tells for `events.metadata['dataset']` what it is and which triggers belong to it.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def process(self, events: Any) -> dict[str, Any]:
        """Selects the events of one work unit.

        Returns:
            {dataset: {candidates: {column: column_accumulator}, cutflow, n_minus_one: see `Cutflow`,
            events: int, sum_w: float, sum_w2: float}}, which adds up over units.
        """
        dataset = self.catalogue.dataset(events.metadata["dataset"])
        era = self.catalogue.era(dataset)
        weights = np.ones(len(events)) if dataset.is_data else ak.to_numpy(events.genWeight).astype(np.float64)
        cutflow = Cutflow(weights)

        fired = {
            "electron": triggers.fired(events.HLT, era.triggers.electron, len(events)),
            "muon": triggers.fired(events.HLT, era.triggers.muon, len(events)),
        }
        cutflow.require("certified luminosity section", _certified(events, dataset, era))
        cutflow.require("single-lepton trigger", _recorded_in(dataset, fired))

        electrons, muons = nanoaod.electrons(events), nanoaod.muons(events)
        prompt = leptons.prompt_electrons(electrons, era.year), leptons.prompt_muons(muons)
        nonprompt = leptons.nonprompt_electrons(electrons), leptons.nonprompt_muons(muons)
        n_prompt, n_nonprompt = (ak.to_numpy(ak.num(e) + ak.num(mu)) for e, mu in (prompt, nonprompt))

        cutflow.require("N(prompt l1) = 1", n_prompt == 1)
        with_l1 = n_prompt > 0
        l1 = leptons.leading(*(flavour[with_l1] for flavour in prompt))
        hlt_objects = nanoaod.trigger_objects(events[with_l1])
        hlt = triggers.matched_to_hlt(l1, hlt_objects, fired["electron"][with_l1], fired["muon"][with_l1])
        cutflow.require("l1 matched to HLT", hlt, among=with_l1)

        # From here on only events with a pair: the rest cannot pass, not even with one requirement left out.
        pair = with_l1 & (n_nonprompt > 0)
        events, l1 = events[pair], l1[pair[with_l1]]
        l2 = leptons.leading(*(flavour[pair] for flavour in nonprompt))
        good_jets = jets.good_jets(nanoaod.jets(events))
        jet, others = jets.nearest_jet(l2, good_jets)
        n_jets = ak.to_numpy(ak.fill_none(1 + ak.sum(others & jets.separated(l1, good_jets), axis=1), 0))
        sv = _vertex_of(l2, events)
        m_l1_l2 = ak.to_numpy(two_leptons.mass(l1, l2))
        same_sign = ak.to_numpy(l1.charge == l2.charge)
        kind = category(ak.to_numpy(l1.flavour), ak.to_numpy(l2.flavour), same_sign)
        dimuon = ak.to_numpy((l1.flavour == 13) & (l2.flavour == 13))

        cutflow.categorise(kind, pair, from_stage=L2_STAGE)
        cutflow.require(L2_STAGE, n_nonprompt == 1)
        cutflow.require("N(jets) >= 1", ~ak.is_none(jet), among=pair)
        cutflow.require("Delta R(l2, jet) < 0.7", _below(jet.deltaR(l2), jets.MAX_DELTA_R_L2), among=pair)
        cutflow.require("l2 in SV", ~ak.is_none(sv), among=pair)
        cutflow.require("m(l1, l2) > 10 GeV", m_l1_l2 > two_leptons.MIN_MASS_L1_L2, among=pair)
        cutflow.require("|Delta phi(l1, l2)| > 0.4", two_leptons.separated_in_phi(l1, l2), among=pair)
        cutflow.require(
            "m(mumu) outside 85-95 GeV", two_leptons.outside_z_window(m_l1_l2, dimuon, ~same_sign), among=pair
        )
        candidate = cutflow.passed()
        cutflow.require(SIGNAL_SELECTION, n_jets == 1, among=pair)

        chosen = candidate[pair]
        jet, sv = ak.drop_none(jet[chosen]), ak.drop_none(sv[chosen])
        columns = _columns(events[chosen], l1[chosen], l2[chosen], jet, sv, dataset)
        columns |= {
            "gen_weight": weights[candidate],
            "category": kind[chosen],
            "n_jets": n_jets[chosen],
            "m_l1_l2": m_l1_l2[chosen],
        }
        return {
            dataset.name: {
                "candidates": {c.name: column_accumulator(_flat(columns[c.name], c.dtype)) for c in COLUMNS},
                "cutflow": cutflow.counts(),
                "n_minus_one": cutflow.n_minus_one(),
                "events": len(weights),
                "sum_w": float(weights.sum()),
                "sum_w2": float((weights**2).sum()),
            }
        }

    def postprocess(self, accumulator: Any) -> Any:
        """Nothing is left to do after the units are added up."""
        return accumulator


def _certified(events: Any, dataset: Dataset, era: Era) -> np.ndarray:
    """Golden JSON for data; simulation is always good."""
    if not dataset.is_data or era.golden_json is None:
        return np.ones(len(events), dtype=bool)
    return np.asarray(LumiMask(Path(era.golden_json))(ak.to_numpy(events.run), ak.to_numpy(events.luminosityBlock)))


def _recorded_in(dataset: Dataset, fired: dict[str, np.ndarray]) -> np.ndarray:
    """Whether the event belongs to this dataset: a trigger of its own fired, and none that it leaves to another."""
    belongs: np.ndarray = np.logical_or.reduce([fired[group] for group in dataset.triggers])
    for group in dataset.veto_triggers:
        belongs &= ~fired[group]
    return belongs


def _vertex_of(l2: Any, events: Any) -> Any:
    """Sections 2 and 4: the displaced vertex with the highest pt among those that hold the track of l2."""
    all_vertices = nanoaod.vertices(events)
    if nanoaod.has_sv_index(events):
        holds_l2 = vertices.holds_track(all_vertices, l2.sv_index)
    else:
        holds_l2 = vertices.near_lepton(all_vertices, events.PV, l2)
    return vertices.highest_pt(all_vertices[holds_l2 & vertices.displaced(all_vertices)])


def _columns(events: Any, l1: Any, l2: Any, jet: Any, sv: Any, dataset: Dataset) -> dict[str, Any]:
    """What a candidate carries (section 5, and what the later stages need)."""
    generator_event = nanoaod.field(events, "hnlsim_generatorEvent")
    columns = {
        "run": events.run,
        "luminosity_block": events.luminosityBlock,
        "event": events.event,
        "generator_event": events.event if generator_event is None else generator_event,
        "n_true_interactions": nanoaod.field(events, "Pileup_nTrueInt"),
        "delta_phi_l1_l2": l1.deltaphi(l2),
        "m_l1_sv": two_leptons.mass(l1, sv),
        "jet_n_constituents": jet.nConstituents,
        "jet_hadron_flavour": jet.flavour,
        "delta_r_l2_jet": l2.deltaR(jet),
        "pt_rel_l2_jet": jets.pt_rel(l2, jet),
        "pt_ratio_l2_jet": l2.pt / jet.pt,
        "m_sv": sv.mass,
        "sv_n_tracks": sv.ntracks,
        "sv_chi2_ndof": sv.chi2,  # NanoAOD's SV_chi2 is divided by ndof already
        "sv_ndof": sv.ndof,
        "sv_p_angle": sv.pAngle,
        "delta_2d": sv.dxy,
        "delta_2d_sig": sv.dxySig,
        "delta_3d": sv.dlen,
        "delta_3d_sig": sv.dlenSig,
    }
    names = {"dxy": "dxy", "dz": "dz", "rel_iso": "pfRelIso03_all", "gen_flavour": "gen_flavour"}
    for prefix, lepton in (("l1", l1), ("l2", l2)):
        columns |= {f"{prefix}_{name}": lepton[name] for name in ("pt", "eta", "phi", "charge")}
        columns |= {f"{prefix}_{ours}": lepton[theirs] for ours, theirs in names.items()}
    names = {"dxy_err": "dxyErr", "dz_err": "dzErr", "d_xyz": "ip3d", "d_xyz_sig": "sip3d"}
    columns |= {f"l2_{ours}": l2[theirs] for ours, theirs in names.items()}
    columns |= {f"l2_{name}": l2[name] for name in ("lost_hits", "tracker_layers")}
    columns |= {f"jet_{name}": jet[name] for name in ("pt", "eta", "phi", "mass")}
    columns |= {f"sv_{name}": sv[name] for name in ("pt", "eta", "phi")}
    if nanoaod.has_particles(events):
        inside = particles.of_jet(jet.index, events.JetPFCands, events.PFCands)
        columns |= {f"jet_{name}": value for name, value in particles.summaries(inside).items()}
        columns["l2_pixel_hits"] = particles.pixel_hits(l2, events.PFCands)
    if dataset.kind == "signal" and nanoaod.has_decay_vertices(events):
        columns |= {f"gen_{name}": value for name, value in truth.decay(events.GenPart).items()}
    missing = ak.Array(np.full(len(events), np.nan))
    return {c.name: missing if columns.get(c.name) is None else columns[c.name] for c in COLUMNS}


def _below(values: Any, limit: float) -> Any:
    return ak.fill_none(values < limit, False)


def _flat(values: Any, dtype: str) -> np.ndarray:
    """A column of the candidates; a missing value can only be in a float column."""
    return np.ascontiguousarray(ak.to_numpy(values, allow_missing=False), dtype=dtype)
