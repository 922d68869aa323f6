"""Weights of simulated candidates: scale factors and pileup in every variation (section 3, section 7, Table 4).

Weights are computed for candidates, after the selection, so that a changed correction does not need a new selection.
A weight is the product of independent factors; a variation exchanges one of them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hnl.corrections import library, normalisation, nuisances, own_weights
from hnl.corrections.library import CorrectionError
from hnl.datasets import generator_weights
from hnl.datasets.catalogue import Dataset, Era
from hnl.datasets.corrections import PILEUP_COLUMN, Corrections
from hnl.datasets.own_weights import OwnWeight
from hnl.datasets.variations import NOMINAL, up_down
from hnl.datasets.weight_corrections import LeptonCorrections, Variation, WeightCorrection
from hnl.selections.displaced import categories

WAYS = ("up", "down")
LEPTON = {"trigger": "l1", "prompt": "l1", "nonprompt": "l2"}  # lepton of the efficiency

# Largest deviation from one of the mean weight of the generated pileup profile: our choice. More means another profile.
PILEUP_TOLERANCE = 0.1


@dataclass(frozen=True)
class Generated:
    """Sums over all generated events of a dataset, from the closure gate.

    Attributes:
        sum_w: sum of weights.
        norms: variation of the generator's weights -> its sum of weights relative to nominal.
        events: number of events, if the files hold all of them.
        pileup: sums of weights by true interactions, 0-1, 1-2 ...; None if the files do not hold all events.
    """

    sum_w: float
    norms: Mapping[str, float]
    events: int = 0
    pileup: list[float] | None = None


@dataclass(frozen=True)
class Factor:
    """A factor of the weight, nominal and in its variations; arrays over candidates."""

    nominal: np.ndarray
    varied: Mapping[str, np.ndarray]


def weights(
    dataset: Dataset,
    era: Era,
    candidates: Mapping[str, np.ndarray],
    generated: Generated | None,
    own: Sequence[OwnWeight] = (),
) -> dict[str, np.ndarray]:
    """The weight of each candidate, nominal and in every variation that applies to the dataset.

    Args:
        dataset: data has weight one and is never varied.
        era: has the luminosity and the corrections.
        candidates: table with the columns of `processors.displaced.columns`.
        generated: sums over the generated events of the dataset; None for data.
        own: weights that the catalogue adds.

    Returns:
        'nominal' and NUISANCE_up, NUISANCE_down (of `nuisances.NUISANCES`, and `own`) -> float64, events expected in
        the luminosity. Other nuisances do not apply to the dataset.

    Raises:
        CorrectionError: the message names dataset, file, correction and value.
    """
    if generated is None:
        if not dataset.is_data:
            raise ValueError(f"the sums of weights of {dataset.name} are needed")
        return {NOMINAL: np.ones(len(candidates["gen_weight"]))}
    base = candidates["gen_weight"] * normalisation.scale(dataset, era, generated.sum_w)
    try:
        factors = list(_factors(dataset, era.corrections, candidates, generated))
        factors += [_factor(name, values) for name, values in own_weights.factors(own, dataset, candidates).items()]
    except CorrectionError as error:
        raise CorrectionError(f"dataset {dataset.name}: {error}") from None
    result = {NOMINAL: _product([base, *(factor.nominal for factor in factors)])}
    for factor in factors:
        rest = _product([base, *(other.nominal for other in factors if other is not factor)])
        result |= {name: rest * varied for name, varied in factor.varied.items()}
    return result


def _product(arrays: Iterable[np.ndarray]) -> np.ndarray:
    result: np.ndarray = np.prod(np.stack(list(arrays)), axis=0, dtype=np.float64)
    return result


def _factors(
    dataset: Dataset, corrections: Corrections, candidates: Mapping[str, np.ndarray], generated: Generated
) -> Iterator[Factor]:
    if corrections.pileup:
        yield _pileup(corrections.pileup, candidates, generated)
    for kind, lepton in LEPTON.items():
        block: LeptonCorrections | None = getattr(corrections, kind)
        for flavour, entries in block.flavours if block else ():
            has = np.array([getattr(category, lepton) == flavour for category in categories.ALL])
            yield _scale_factor(f"{kind}_{flavour}", entries, candidates, has[candidates["category"]])
    if corrections.tracking:
        everyone = np.ones(len(candidates["gen_weight"]), dtype=bool)
        yield _scale_factor("tracking", (corrections.tracking,), candidates, everyone)
    yield from _prefiring(candidates)
    yield from _generator(dataset, candidates, generated.norms)


def _pileup(correction: WeightCorrection, candidates: Mapping[str, np.ndarray], generated: Generated) -> Factor:
    """The target profile over the generated one, for the minimum-bias cross section and +- 4.6 % of it (section 7).

    If the files hold all generated events, each weight is divided by its mean over their profile, which keeps the sum
    of weights. Else that profile is unknown, and the normalisation of the correction is used.
    """
    values = _evaluate(correction, candidates)
    if generated.pileup is not None:
        profile = np.array(generated.pileup)
        centres = np.flatnonzero(profile)
        of_profile = _evaluate(correction, {PILEUP_COLUMN: centres + 0.5})
        mean = {way: np.average(w, weights=profile[centres]) for way, w in of_profile.items()}
        error = of_profile[NOMINAL].std() / generated.events**0.5
        if not abs(mean[NOMINAL] - 1) < PILEUP_TOLERANCE + 5 * error:
            raise CorrectionError(
                f"{correction.file}: the mean of {correction.correction} over the pileup of all generated events is "
                f"{mean[NOMINAL]:.4g}, not one: it is made for another simulation"
            )
        values = {way: w / mean[way] for way, w in values.items()}
    return _factor("pileup", values)


def _scale_factor(
    nuisance: str, entries: tuple[WeightCorrection, ...], candidates: Mapping[str, np.ndarray], applies: np.ndarray
) -> Factor:
    """Scale factors of the candidates to which they apply, and 1 for the others."""
    chosen = {name: column[applies] for name, column in candidates.items()}
    scale_factors = [_evaluate(correction, chosen) for correction in entries]
    values = {way: np.ones(len(applies)) for way in (NOMINAL, *WAYS)}
    for way, value in values.items():
        value[applies] = _product([scale_factor[way] for scale_factor in scale_factors])
    return _factor(nuisance, values)


def _prefiring(candidates: Mapping[str, np.ndarray]) -> Iterator[Factor]:
    """The probability that no trigger fired a bunch crossing early, which CMS gives per event."""
    columns = {NOMINAL: "weight_prefiring"} | {way: f"weight_prefiring_{way}" for way in WAYS}
    if not np.isnan(candidates[columns[NOMINAL]]).all():
        yield _factor("prefiring", {way: _complete(candidates, column) for way, column in columns.items()})


def _generator(dataset: Dataset, candidates: Mapping[str, np.ndarray], norms: Mapping[str, float]) -> Iterator[Factor]:
    """Weights of the generator, each normalised to its own sum: only shapes and acceptances change."""
    nominal = np.ones(len(candidates["gen_weight"]))
    for kind in dataset.generator_weights.kinds:
        for nuisance in generator_weights.NUISANCES[kind]:
            names = up_down(nuisance)
            yield Factor(nominal, {name: _complete(candidates, f"weight_{name}") / norms[name] for name in names})


def _complete(candidates: Mapping[str, np.ndarray], column: str) -> np.ndarray:
    values = candidates[column].astype(np.float64)
    if not np.isfinite(values).all():
        raise CorrectionError(f"a candidate has {column} = {values[~np.isfinite(values)][0]}, others have a number")
    return values


def _factor(nuisance: str, values: Mapping[str, np.ndarray]) -> Factor:
    return Factor(values[NOMINAL], dict(zip(up_down(nuisance), (values[way] for way in WAYS), strict=True)))


def _evaluate(correction: WeightCorrection, candidates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Nominal, up and down of a correction, per candidate."""
    inputs = library.arguments(candidates, correction.columns, correction.constants, correction.clip)
    varied, where = correction.uncertainty, (correction.file, correction.correction)
    if isinstance(varied, Variation):
        ways = {NOMINAL: varied.nominal, "up": varied.up, "down": varied.down}
        return {way: library.evaluate(*where, inputs | {varied.input: text}) for way, text in ways.items()}
    value = library.evaluate(*where, inputs)
    half = np.abs(value - 1) / 2  # section 7, tracking efficiency
    return {NOMINAL: value, "up": value + half, "down": value - half}


def all_of(corrections: Corrections) -> Iterator[WeightCorrection]:
    """Every correction of weights of an era."""
    yield from (correction for correction in (corrections.pileup, corrections.tracking) if correction)
    for kind in LEPTON:
        block: LeptonCorrections | None = getattr(corrections, kind)
        for _, entries in block.flavours if block else ():
            yield from entries


def check(corrections: Corrections, columns: Collection[str]) -> None:
    """Looks all corrections of an era up before any event is read.

    Args:
        corrections: corrections of the era.
        columns: columns of candidates.

    Raises:
        CorrectionError: a file cannot be read or has no such correction; the correction has other inputs than the
            catalogue gives; a column does not exist; or a nuisance of jets has the name of another.
    """
    for name in corrections.jets.nuisances if corrections.jets else ():
        if name in nuisances.BY_NAME and nuisances.BY_NAME[name].module != "corrections.jets":
            raise CorrectionError(f"a nuisance of jets is called {name}, which is the name of another one")
    if "category" not in columns and (block := next((kind for kind in LEPTON if getattr(corrections, kind)), "")):
        raise CorrectionError(f"corrections.{block} acts on l1 and l2 of the displaced search; this one has neither")
    for entry in all_of(corrections):
        inputs = library.check(entry.file, entry.correction, entry.inputs)
        if unknown := [name for name in entry.inputs if name not in inputs]:
            raise CorrectionError(
                f"{entry.file}: the correction {entry.correction} has no input '{unknown[0]}'; it has "
                f"{', '.join(inputs)}"
            )
        if unknown := [text for text in entry.columns.values() if library.column_of(text) not in columns]:
            raise CorrectionError(
                f"{entry.file}: the correction {entry.correction} is given the column '{unknown[0]}', which candidates "
                "lack"
            )
