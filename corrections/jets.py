"""Energy scale (JES) and resolution (JER) of jets in simulation: section 7, Table 4 'Jet energy scale & resolution'.

The paper scales 'the energy of jets up and down by their uncertainty', without formulas. The formulas are those of CMS
(JINST 12 (2017) P02014, reference [88] of the paper):

- JES: pt and mass times 1 +- u(eta, pt), u from the file, at the nominal pt.
- JER, hybrid method: a jet with a generator jet within Delta R < 0.2 and |pt - pt_gen| < 3 sigma pt is scaled by
  1 + (s - 1) (pt - pt_gen) / pt. Any other jet is scaled by 1 + r sqrt(max(s^2 - 1, 0)). Here s is the scale factor and
  r is drawn from a normal distribution of width sigma, the relative resolution. Nominal simulation is smeared as well.

Only jets that can count (jet ID, |eta| < 2.4) are scaled: corrections need not cover others.
Data is never varied and never smeared.
"""

from typing import Any

import awkward as ak
import numpy as np

from hnl.corrections import counter, library
from hnl.datasets import nanoaod
from hnl.datasets.catalogue import Dataset, Era
from hnl.datasets.corrections import JetCorrections, Smearing
from hnl.datasets.variations import NOMINAL, up_down
from hnl.physics.angles import delta_r
from hnl.selections import jets as jet_cuts
from hnl.selections.jets import PAPER, JetCuts

Events = Any  # awkward record array of NanoAOD events
Jagged = Any  # awkward array of the same events; jets are jagged records of `nanoaod.jets`

MAX_DELTA_R = 0.2  # half the size of a jet
MAX_PULL = 3.0  # largest distance of jet and generator jet in pt, in units of the resolution
MIN_PT = 0.01  # GeV, smallest pt after smearing
SEED = 20_110_021  # any number: draws differ by event and jet

PT, ETA, RHO, SYSTEMATIC = "JetPt", "JetEta", "Rho", "systematic"  # names in the files of the JERC group


def jet_settings(dataset: Dataset, era: Era) -> JetCorrections | None:
    """Energy corrections of the jets of a dataset; None for data."""
    return None if dataset.is_data else era.corrections.jets


def variations(settings: JetCorrections | None) -> tuple[str, ...]:
    """Names of the variations, nominal first: bit i of `passes` belongs to entry i."""
    nuisances = settings.nuisances if settings else ()
    return (NOMINAL, *(name for nuisance in nuisances for name in up_down(nuisance)))


def identity(settings: JetCorrections | None) -> dict[str, Any] | None:
    """What the energy corrections are, wherever their file lies: the settings, and the SHA-256 of the file.

    Raises:
        CorrectionError: the file cannot be read.
    """
    if settings is None:
        return None
    content: dict[str, Any] = settings.model_dump(mode="json", exclude={"file"})
    in_order = [list(pair) for pair in content["uncertainties"].items()]  # the order of nuisances is that of the bits
    return content | {"uncertainties": in_order, "file, SHA-256": library.sha256(settings.file)}


def check(settings: JetCorrections | None) -> None:
    """Looks all corrections up before any event is read.

    Raises:
        CorrectionError: the message names the file and the correction.
    """
    if settings is None:
        return
    for name in settings.uncertainties.values():
        library.check(settings.file, name, (ETA, PT))
    if settings.smearing:
        library.check(settings.file, settings.smearing.resolution, (ETA, PT, RHO))
        library.check(settings.file, settings.smearing.scale_factor, (ETA, PT, RHO, SYSTEMATIC))


def nominal_factors(settings: JetCorrections | None, jets: Jagged, events: Events, cuts: JetCuts = PAPER) -> np.ndarray:
    """`factors` of the nominal jets alone: float64, (n,)."""
    result = np.ones(int(ak.sum(ak.num(jets))))
    if settings and settings.smearing:
        counting = _counting(jets, cuts)
        (result[counting],) = _smeared(settings, settings.smearing, jets, events, counting, ("nom",))
    return result


def factors(settings: JetCorrections | None, jets: Jagged, events: Events, cuts: JetCuts = PAPER) -> np.ndarray:
    """Factors on pt and mass of the jets in the file.

    Args:
        settings: settings of the era; None for no variations.
        jets: jagged jets of `nanoaod.jets`, n in all events together.
        events: the same events.
        cuts: jets that cannot count by them are left as they are.

    Returns:
        float64, (variations, n), in the order of `variations`; none negative.

    Raises:
        CorrectionError: the message names the file, the correction and the value.
    """
    result = np.ones((len(variations(settings)), int(ak.sum(ak.num(jets)))))
    if settings is None:
        return result
    counting = _counting(jets, cuts)
    resolution = []
    nominal = np.ones(counting.sum())
    if settings.smearing:
        nominal, *resolution = _smeared(settings, settings.smearing, jets, events, counting, ("nom", "up", "down"))
    pt, eta = _flat(jets.pt)[counting] * nominal, _flat(jets.eta)[counting]
    rows = [nominal]
    for name in settings.uncertainties.values():
        uncertainty = library.evaluate(settings.file, name, {ETA: eta, PT: pt})
        rows += [nominal * (1 + uncertainty), nominal * np.maximum(1 - uncertainty, 0)]
    result[:, counting] = rows + resolution
    return result


def scaled(jets: Jagged, factor: np.ndarray) -> Jagged:
    """Jets with pt and mass times a factor, in single precision, as if the file had them.

    Args:
        jets: jagged jets, n in all events together.
        factor: (n,).
    """
    counts = ak.num(jets)
    for name in ("pt", "mass"):
        values = (_flat(jets[name]) * factor).astype(np.float32)
        jets = ak.with_field(jets, ak.unflatten(values, counts), name)
    return jets


def _counting(jets: Jagged, cuts: JetCuts) -> np.ndarray:
    return _flat(jet_cuts.can_be_good(jets, cuts), bool)


def _smeared(
    settings: JetCorrections,
    smearing: Smearing,
    jets: Jagged,
    events: Events,
    counting: np.ndarray,
    systematics: tuple[str, ...],
) -> list[np.ndarray]:
    """Factors of the jets that count, per systematic of the scale factor."""

    def of_jets(per_event: Jagged, dtype: type = np.float64) -> np.ndarray:
        values: np.ndarray = np.repeat(ak.to_numpy(per_event).astype(dtype), ak.to_numpy(ak.num(jets)))[counting]
        return values

    pt, eta, phi = (_flat(jets[name])[counting] for name in ("pt", "eta", "phi"))
    inputs = {ETA: eta, PT: pt, RHO: of_jets(nanoaod.rho(events))}
    sigma = library.evaluate(settings.file, smearing.resolution, inputs)
    generated = nanoaod.generator_jets(events)
    pt_gen, eta_gen, phi_gen = (_flat(ak.fill_none(generated[name], np.nan))[counting] for name in ("pt", "eta", "phi"))
    matched = (delta_r(eta, phi, eta_gen, phi_gen) < MAX_DELTA_R) & (np.abs(pt - pt_gen) < MAX_PULL * sigma * pt)
    ids = [of_jets(events[name], np.uint64) for name in nanoaod.EVENT_IDS]
    drawn = sigma * counter.normal(SEED, *ids, _flat(jets.index, np.uint64)[counting])
    result = []
    for systematic in systematics:
        s = library.evaluate(settings.file, smearing.scale_factor, inputs | {SYSTEMATIC: systematic})
        change = np.where(matched, (s - 1) * (pt - pt_gen) / pt, drawn * np.sqrt(np.maximum(s**2 - 1, 0)))
        result.append(np.maximum(1 + change, MIN_PT / pt))
    return result


def _flat(values: Jagged, dtype: type = np.float64) -> np.ndarray:
    result: np.ndarray = ak.to_numpy(ak.flatten(values)).astype(dtype)
    return result
