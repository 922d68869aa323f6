"""Weights of the generator for varied settings (scales, PDFs, parton shower), as NanoAOD has them.

They are relative to the nominal weight. Each variation is normalised with its own sum of weights of all generated
events (`processors.closure.generator_norms`), so that it changes shapes and acceptances, not the cross section.
The paper varies none of them: the uncertainty of its K-factor covers them (section 7). They are read only if the
catalogue asks for them.
"""

import re
from typing import TYPE_CHECKING, Literal

import awkward as ak
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hnl.datasets.arrays import Events
from hnl.datasets.model import CatalogueEntry
from hnl.errors import InputError

if TYPE_CHECKING:
    import uproot

BRANCHES = {"scale": "LHEScaleWeight", "pdf": "LHEPdfWeight", "parton_shower": "PSWeight"}
NUISANCES = {"scale": ("mur", "muf"), "pdf": ("pdf",), "parton_shower": ("isr", "fsr")}

# Position in the grid of nine scale weights (0.5, 1, 2), muR slowest. Files of some generators lack the nominal one
# (4).
SCALES = {"mur_down": 1, "muf_down": 3, "muf_up": 5, "mur_up": 7}
_NOMINAL_SCALE = 4
NOMINAL_TOLERANCE = 0.01  # largest deviation of that one from 1: more than 8 bits of mantissa lose. Our choice.
# 'Up' is the setting of the first two. NanoAOD before v9 describes the same order with 2 and 0.5 exchanged.
SHOWERS = {"isr_up": 0, "fsr_up": 1, "isr_down": 2, "fsr_down": 3}
_SHOWER_TITLES = (((2, 1), (1, 2), (0.5, 1), (1, 0.5)), ((0.5, 1), (1, 0.5), (2, 1), (1, 2)))

# Size of a PDF set -> members for alpha_s: the central member and its errors, then two for alpha_s in sets of 33 and
# 103.
_PDF_SIZES = {31: 0, 33: 2, 101: 0, 103: 2}


class GeneratorWeightError(InputError):
    """A file lacks the weights that the catalogue asks for, or has them in an unknown layout."""


class GeneratorWeights(CatalogueEntry):
    """The weights of the generator that vary a sample."""

    scale: bool = Field(default=False, description="renormalisation and factorisation scale (LHEScaleWeight)")
    pdf: Literal["hessian", "replicas"] | None = Field(
        default=None, description="parton distributions (LHEPdfWeight): how the members of the set are combined"
    )
    parton_shower: bool = Field(default=False, description="scale of initial- and final-state showers (PSWeight)")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The requested kinds of weights, keys of `BRANCHES`."""
        return tuple(kind for kind in BRANCHES if getattr(self, kind))

    @property
    def branches(self) -> tuple[str, ...]:
        """Branches of NanoAOD to read."""
        return tuple(BRANCHES[kind] for kind in self.kinds)

    @property
    def variations(self) -> tuple[str, ...]:
        """Names of the variations, such as mur_up, in the order of `factors`."""
        return tuple(f"{name}_{way}" for kind in self.kinds for name in NUISANCES[kind] for way in ("up", "down"))


def check_titles(branch: str, title: str) -> None:
    """Checks the order of scale or shower weights in the title of their branch.

    Titles without a list are accepted.

    Raises:
        GeneratorWeightError: the order is not a known one; the message has the title.
    """
    listed = [segment for segment in title.split("[")[1:] if " is " in segment]
    if branch == BRANCHES["scale"]:
        names, known = (r"MUR|renscfact", r"MUF|facscfact"), _scale_titles(len(listed))
    elif branch == BRANCHES["parton_shower"]:
        names, known = ("ISR", "FSR"), _SHOWER_TITLES
    else:
        return
    settings = tuple(tuple(_setting(name, segment) for name in names) for segment in listed)
    if settings and not any(None in pair for pair in settings) and settings not in known:
        raise GeneratorWeightError(f"{branch} lists its weights in an unknown order: {title}")


def _scale_titles(n: int) -> tuple[tuple[tuple[float, ...], ...], ...]:
    grid = [(mur, muf) for mur in (0.5, 1.0, 2.0) for muf in (0.5, 1.0, 2.0)]
    return (tuple(pair for i, pair in enumerate(grid) if n == 9 or i != _NOMINAL_SCALE),)


def _setting(name: str, segment: str) -> float | None:
    """The number of `MUR="0.5"` or `renscfact=0.5d0`."""
    match = re.search(rf'(?:{name})\s*=\s*"?([\d.]+(?:[de][+-]?\d+)?)', segment, re.IGNORECASE)
    return float(match.group(1).lower().replace("d", "e")) if match else None


def factors(events: Events, requested: GeneratorWeights) -> dict[str, NDArray[np.float64]]:
    """Each variation relative to the nominal weight.

    Args:
        events: NanoEvents with the branches asked for.
        requested: kinds of weights, from the catalogue.

    Returns:
        variation (mur_up, mur_down, ...) -> float64, (n,).
        Scales: factor 2 and 1/2, one at a time. PDF: 1 +- d, where d is the sum in quadrature over the eigenvectors of
        a Hessian set, or the standard deviation of replicas, with half the difference of the two alpha_s members
        added in quadrature if the set has them (PDF4LHC, arXiv:1510.03865). With one d per event all members move
        together, which gives more than the quadrature of yields: our choice, for a single nuisance.

    Raises:
        GeneratorWeightError: an unknown number of weights, or a weight that is not finite.
    """
    result: dict[str, NDArray[np.float64]] = {}
    if requested.scale:
        weights = _matrix(events, "scale", (9, 8))
        skipped = weights.shape[1] == 8
        if not skipped:
            _check_nominal(events, weights[:, _NOMINAL_SCALE])
        for name, i in SCALES.items():
            result[name] = weights[:, i - (skipped and i > _NOMINAL_SCALE)]
    if requested.pdf:
        spread = _pdf_spread(_matrix(events, "pdf", tuple(_PDF_SIZES)), requested.pdf)
        result |= {"pdf_up": 1 + spread, "pdf_down": 1 - spread}
    if requested.parton_shower:
        weights = _matrix(events, "parton_shower", (4,))
        result |= {name: weights[:, i] for name, i in SHOWERS.items()}
    return {name: result[name] for name in requested.variations}


def _check_nominal(events: Events, weights: NDArray[np.float64]) -> None:
    """Refuses scale weights that are not relative to the nominal weight, so that their nominal entry is not 1.

    The median is compared, because single events of some generators are off by rounding.
    """
    if len(weights) and not abs((median := np.median(weights)) - 1) <= NOMINAL_TOLERANCE:
        raise GeneratorWeightError(
            f"{_source(events)}: {BRANCHES['scale']} has the nominal entry {median:.6g}, not 1: its weights are not "
            "relative to the nominal weight"
        )


def _pdf_spread(weights: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    n_alpha_s = _PDF_SIZES[weights.shape[1]]
    relative = weights / weights[:, :1]
    members = relative[:, 1 : weights.shape[1] - n_alpha_s]
    variance = ((members - 1) ** 2).sum(axis=1) if kind == "hessian" else members.var(axis=1, ddof=1)
    if n_alpha_s:
        variance = variance + ((relative[:, -1] - relative[:, -2]) / 2) ** 2
    spread: NDArray[np.float64] = np.sqrt(variance)
    return spread


def _matrix(events: Events, kind: str, sizes: tuple[int, ...]) -> NDArray[np.float64]:
    """float64, (n, one of `sizes`)."""
    branch = BRANCHES[kind]
    numbers = np.unique(ak.to_numpy(ak.num(events[branch])))
    if len(numbers) == 0:
        return np.empty((0, sizes[0]))
    if len(numbers) > 1 or numbers[0] not in sizes:
        present, known = (", ".join(map(str, values)) for values in (numbers, sizes))
        raise GeneratorWeightError(f"{_source(events)}: events have {present} weights in {branch}; known: {known}")
    weights = ak.to_numpy(events[branch]).astype(np.float64)
    if not np.isfinite(weights).all():
        raise GeneratorWeightError(f"{_source(events)}: {branch} has the weight {weights[~np.isfinite(weights)][0]}")
    return np.asarray(weights)


def _source(events: Events) -> str:
    """The file of the events, or, under coffea's `Runner`, its name for them."""
    metadata = events.metadata
    return str(metadata.get("file", {}).get("path") or metadata.get("filename") or metadata["dataset"])


def runs_sums(runs: "uproot.TTree", sum_w: NDArray[np.float64], suffix: str) -> dict[str, float]:
    """Sums of weights of the variations over all generated events, as far as a Runs tree has them.

    Args:
        runs: the tree.
        sum_w: genEventSumw of each entry.
        suffix: end of its branch names ('_' in v6 and v7).

    Returns:
        variation -> sum. The tree has LHEScaleSumw and PSSumw as means, relative to genEventSumw of the same entry.
        Older CMSSW (seen in v4 and v7) adds the means when it merges files (`MergeableCounterTable`), so that they are
        too large by a factor, the number of merged files. So scale weights are taken relative to their nominal entry.
        In v6 and v7 (the suffix) that number is unknown for eight weights without the nominal one: these sums count as
        missing, as do sums that are not finite. PSSumw has no nominal entry; it came later (2022).
    """
    result: dict[str, float] = {}
    for branch, positions, sizes in (("LHEScaleSumw", SCALES, (9, 8)), ("PSSumw", SHOWERS, (4,))):
        name = f"{branch}{suffix}"
        if name not in runs:
            continue
        counted = sum_w != 0  # a file without events may lack them
        listed = runs[name].array()[counted]
        numbers = set(ak.num(listed).tolist())
        if len(numbers) != 1 or not numbers <= set(sizes) or (numbers == {8} and suffix):
            continue
        means = ak.to_numpy(listed).astype(np.float64)
        skipped = means.shape[1] == 8
        if means.shape[1] == 9:
            with np.errstate(divide="ignore", invalid="ignore"):
                means = means / means[:, [_NOMINAL_SCALE]]
        if not np.isfinite(means).all():
            continue
        for variation, i in positions.items():
            position = i - (skipped and i > _NOMINAL_SCALE)
            result[variation] = float((means[:, position] * sum_w[counted]).sum())
    return result
