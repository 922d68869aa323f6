"""Weights of simulated candidates: scale factors and pileup in every variation (section 3, section 7, Table 4).

Everything here works on candidates, after the selection, so that changing a correction does not redo the selection.
A weight is the product of independent factors; a variation exchanges one of them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hnl.corrections import library, normalisation, nuisances
from hnl.corrections.library import CorrectionError
from hnl.datasets import generator_weights
from hnl.datasets.catalogue import Dataset, Era
from hnl.datasets.corrections import PILEUP_COLUMN, Corrections
from hnl.datasets.variations import NOMINAL, up_down
from hnl.datasets.weight_corrections import LeptonCorrections, Variation, WeightCorrection
from hnl.selections.displaced import categories

WAYS = ("up", "down")
LEPTON = {"trigger": "l1", "prompt": "l1", "nonprompt": "l2"}  # whose efficiency it is

# How far the mean weight of the generated pileup profile may be from one: our choice. More is another profile.
PILEUP_TOLERANCE = 0.1


@dataclass(frozen=True)
class Generated:
    """What is known of all generated events of a dataset, from the closure gate.

    Attributes:
        sum_w: sum of their weights.
        norms: variation of the generator's weights -> its sum of weights relative to nominal.
        events: their number, where the files hold all of them.
        pileup: sums of weights by true interactions, 0-1, 1-2 ...; None where the files do not hold all events.
    """

    sum_w: float
    norms: Mapping[str, float]
    events: int = 0
    pileup: list[float] | None = None


@dataclass(frozen=True)
class Factor:
    """One factor of the weight, with what it becomes in its variations; arrays over candidates."""

    nominal: Any
    varied: Mapping[str, Any]


def weights(
    dataset: Dataset, era: Era, candidates: Mapping[str, np.ndarray], generated: Generated | None
) -> dict[str, np.ndarray]:
    """The weight of each candidate, nominal and in every variation that concerns the dataset.

    Args:
        dataset: data has weight one and is never varied.
        era: its luminosity and corrections.
        candidates: table with the columns of `processors.columns`.
        generated: of the dataset; None for data.

    Returns:
        'nominal' and NUISANCE_up, NUISANCE_down (`nuisances.NUISANCES`) -> float64, events expected in the luminosity.
        A nuisance that is not among them does not concern the dataset.

    Raises:
        CorrectionError: names dataset, file, correction and value.
    """
    if generated is None:
        if not dataset.is_data:
            raise ValueError(f"the sums of weights of {dataset.name} are needed")
        return {NOMINAL: np.ones(len(candidates["gen_weight"]))}
    base = candidates["gen_weight"] * normalisation.scale(dataset, era, generated.sum_w)
    try:
        factors = list(_factors(dataset, era.corrections, candidates, generated))
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
        for flavour, some in block.flavours if block else ():
            has = np.array([getattr(category, lepton) == flavour for category in categories.ALL])
            yield _scale_factor(f"{kind}_{flavour}", some, candidates, has[candidates["category"]])
    if corrections.tracking:
        everyone = np.ones(len(candidates["gen_weight"]), dtype=bool)
        yield _scale_factor("tracking", (corrections.tracking,), candidates, everyone)
    yield from _prefiring(candidates)
    yield from _generator(dataset, candidates, generated.norms)


def _pileup(correction: WeightCorrection, candidates: Mapping[str, np.ndarray], generated: Generated) -> Factor:
    """The target profile over the generated one, for the minimum-bias cross section and +- 4.6 % of it (section 7).

    Where the files hold all generated events, each is divided by its mean over their profile, so that it keeps their
    sum of weights. Elsewhere that profile is not known, and the file's own normalisation is taken as it is.
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
    nuisance: str, some: tuple[WeightCorrection, ...], candidates: Mapping[str, np.ndarray], mine: np.ndarray
) -> Factor:
    """Scale factors of some candidates, one for the others."""
    chosen = {name: column[mine] for name, column in candidates.items()}
    each = [_evaluate(correction, chosen) for correction in some]
    values = {way: np.ones(len(mine)) for way in (NOMINAL, *WAYS)}
    for way, value in values.items():
        value[mine] = _product([one[way] for one in each])
    return _factor(nuisance, values)


def _prefiring(candidates: Mapping[str, np.ndarray]) -> Iterator[Factor]:
    """The probability that no trigger fired a bunch crossing early, which CMS gives for each event."""
    columns = {NOMINAL: "weight_prefiring"} | {way: f"weight_prefiring_{way}" for way in WAYS}
    if not np.isnan(candidates[columns[NOMINAL]]).all():
        yield _factor("prefiring", {way: _complete(candidates, column) for way, column in columns.items()})


def _generator(dataset: Dataset, candidates: Mapping[str, np.ndarray], norms: Mapping[str, float]) -> Iterator[Factor]:
    """Each with its own sum of weights: only shapes and acceptances change."""
    one = np.ones(len(candidates["gen_weight"]))
    for kind in dataset.generator_weights.kinds:
        for nuisance in generator_weights.NUISANCES[kind]:
            names = up_down(nuisance)
            yield Factor(one, {name: _complete(candidates, f"weight_{name}") / norms[name] for name in names})


def _complete(candidates: Mapping[str, np.ndarray], column: str) -> np.ndarray:
    values = candidates[column].astype(np.float64)
    if not np.isfinite(values).all():
        raise CorrectionError(f"a candidate has {column} = {values[~np.isfinite(values)][0]}, others have a number")
    return values


def _factor(nuisance: str, values: Mapping[str, np.ndarray]) -> Factor:
    return Factor(values[NOMINAL], dict(zip(up_down(nuisance), (values[way] for way in WAYS), strict=True)))


def _evaluate(correction: WeightCorrection, candidates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Nominal, up and down of one correction for each candidate."""
    inputs: dict[str, Any] = dict(correction.constants)
    for name, text in correction.columns.items():
        values = candidates[column_of(text)]
        values = values if text == column_of(text) else np.abs(values)
        inputs[name] = np.clip(values, *correction.clip[name]) if name in correction.clip else values
    varied, where = correction.uncertainty, (correction.file, correction.correction)
    if isinstance(varied, Variation):
        ways = {NOMINAL: varied.nominal, "up": varied.up, "down": varied.down}
        return {way: library.evaluate(*where, inputs | {varied.input: text}) for way, text in ways.items()}
    value = library.evaluate(*where, inputs)
    half = np.abs(value - 1) / 2  # section 7, tracking efficiency
    return {NOMINAL: value, "up": value + half, "down": value - half}


def column_of(text: str) -> str:
    """The column in `abs(column)`."""
    return text.removeprefix("abs(").removesuffix(")")


def all_of(corrections: Corrections) -> Iterator[WeightCorrection]:
    """Every correction of weights of an era."""
    yield from (one for one in (corrections.pileup, corrections.tracking) if one)
    for kind in LEPTON:
        block: LeptonCorrections | None = getattr(corrections, kind)
        for _, some in block.flavours if block else ():
            yield from some


def check(corrections: Corrections, columns: Collection[str]) -> None:
    """Looks all corrections of an era up before any event is read.

    Args:
        corrections: of the era.
        columns: those that candidates have.

    Raises:
        CorrectionError: a file cannot be read, has no such correction, or this has other inputs than the catalogue
            gives; there is no such column; or a nuisance of jets has the name of another.
    """
    for name in corrections.jets.nuisances if corrections.jets else ():
        if name in nuisances.BY_NAME and nuisances.BY_NAME[name].module != "corrections.jets":
            raise CorrectionError(f"a nuisance of jets is called {name}, which is the name of another one")
    if "category" not in columns and (block := next((kind for kind in LEPTON if getattr(corrections, kind)), "")):
        raise CorrectionError(f"corrections.{block} acts on l1 and l2 of the displaced search; this one has neither")
    for one in all_of(corrections):
        wanted = library.check(one.file, one.correction, one.inputs)
        if unknown := [name for name in one.inputs if name not in wanted]:
            raise CorrectionError(
                f"{one.file}: the correction {one.correction} has no input '{unknown[0]}'; it has {', '.join(wanted)}"
            )
        if unknown := [text for text in one.columns.values() if column_of(text) not in columns]:
            raise CorrectionError(
                f"{one.file}: the correction {one.correction} is given the column '{unknown[0]}', which candidates lack"
            )
