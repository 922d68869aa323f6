"""Results of fits and of limits on the signal strength mu, of any search, and the file fit.json."""

from typing import ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer
from pydantic.dataclasses import dataclass

from hnl.records import KNOWN_KEYS

LEFT_OUT = ("region", "hypothesis")  # keys of `FittedYield` that are not written without a value


@dataclass(frozen=True, config=KNOWN_KEYS)
class Pull:
    """A nuisance parameter of the fit with mu free, in units of its constraint."""

    name: str = Field(description="of the nuisance parameter")
    value: float | None = Field(description="fitted value; null if the fit has none")
    error: float | None = Field(description="from the Hessian; null if the fit has none")


@dataclass(frozen=True, config=KNOWN_KEYS)
class FittedImpact:
    """Change of the fitted mu when a nuisance parameter is held one standard deviation up or down."""

    name: str = Field(description="of the nuisance parameter")
    value: float = Field(description="fitted value, in units of the constraint")
    error: float = Field(description="from the Hessian, in units of the constraint")
    up: float = Field(description="change of mu, parameter held at value + error")
    down: float = Field(description="change of mu, parameter held at value - error")


@dataclass(frozen=True, config=KNOWN_KEYS)
class FitQuality:
    """Goodness of fit: likelihood ratio to the saturated model."""

    statistic: float = Field(description="-2 log of the ratio")
    degrees: int = Field(description="degrees of freedom")
    p_value: float = Field(description="of a chi2 distribution")
    toys: int = Field(description="number of toys, 0 for none")
    p_value_toys: float | None = Field(description="by toys; failed ones count as worse than the data")
    failed: int = Field(description="toys whose fit did not converge")
    toy_edges: tuple[float, ...] = Field(
        default=(), description="edges of the histogram of the statistic of the other toys; empty without toys"
    )
    toy_counts: tuple[int, ...] = Field(default=(), description="toys in each of its bins")


@dataclass(frozen=True, config=KNOWN_KEYS)
class ParameterCorrelation:
    """Correlation of two parameters of the fit with mu free, from the Hessian."""

    first: str = Field(description="mu, a nuisance parameter, or a free normalisation")
    second: str = Field(description="likewise")
    value: float = Field(description="-1 to 1")


@dataclass(frozen=True, kw_only=True, config=KNOWN_KEYS)
class FittedYield:
    """Events of one region of one ABCD bin, or of one bin of a template."""

    category: str = Field(description="category of the search; with templates the name of the channel")
    bin: int = Field(description="number of the bin")
    region: str | None = Field(default=None, description="A, B, C or D of an ABCD bin; no key otherwise")
    observed: float | None = Field(description="events, of Asimov data if the fit is expected; null where blinded")
    prefit: float = Field(description="background before the fit, events")
    signal: float = Field(description="signal at mu = 1, events")
    background_only: float = Field(description="background of the fit with mu = 0, events")
    background_only_error: float | None = Field(description="its uncertainty, events; null if the fit has none")
    fitted_background: float = Field(description="background of the fit with mu free, events")
    fitted_signal: float = Field(description="signal of the fit with mu free, events")
    hypothesis: str | None = Field(
        default=None, description="low or high mass, where this decides the bins; no key otherwise"
    )

    @model_serializer(mode="wrap")
    def _without_missing(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {key: value for key, value in handler(self).items() if value is not None or key not in LEFT_OUT}


@dataclass(frozen=True, config=KNOWN_KEYS)
class FitRecord:
    """The fit of one model."""

    sample: str = Field(description="the signal sample, or the name of the model")
    mu: float = Field(description="fitted signal strength, 0 or more")
    mu_error: float | None = Field(description="from the Hessian; null if mu is at its bound of 0")
    success: bool = Field(description="the fits with mu free and with mu = 0 both converged")
    few_events: bool = Field(description="asymptotic formulas are not to be trusted")
    at_bound: tuple[str, ...] = Field(description="parameters at their limits, whose errors mean nothing")
    pulls: tuple[Pull, ...] = Field(description="sorted by name")
    impacts: tuple[FittedImpact, ...] = Field(description="the largest first")
    impacts_of: str = Field(description="data of the impacts: the fit, or Asimov data with mu = 1")
    goodness_of_fit: FitQuality = Field(description="of the fit with mu free")
    yields: tuple[FittedYield, ...] = Field(description="before and after the fits, bin by bin")
    correlations: tuple[ParameterCorrelation, ...] = Field(
        default=(), description="of at least 1 %, the largest first; none of parameters that do not move"
    )


@dataclass(frozen=True, config=KNOWN_KEYS)
class FitFile:
    """Content of fit.json."""

    FORMAT: ClassVar[int] = 2
    COMMAND: ClassVar[str] = "hnl fit"

    format: int = Field(description="version of this file format")
    label: str = Field(description="data or projection, luminosity and energy, for all products")
    projected: bool = Field(description="simulated background was projected in place of data")
    data: str = Field(description="what was fitted: observed, or expected (Asimov data)")
    luminosity: float = Field(description="integrated luminosity in /fb")
    correlated_closure: bool | None = Field(
        description="one closure parameter for all bins of a category, or one per bin; null without an ABCD estimate"
    )
    fits: tuple[FitRecord, ...] = Field(description="one per fitted model")
    refused: dict[str, str] = Field(description="why there is no fit, by sample")
    partial: tuple[str, ...] = Field(description="input files that were left out")
    provenance: dict[str, str] = Field(description="command, versions, code, machine and time")


@dataclass(frozen=True, config=KNOWN_KEYS)
class StrengthLimit:
    """Upper limit on mu of one model, at 95 % CLs."""

    observed: float | None = Field(description="upper limit on mu; null for blinded data")
    expected: tuple[float, ...] = Field(
        description="upper limits on mu expected at -2, -1, 0, 1, 2 standard deviations"
    )
    method: str = Field(description="lhc (with bands of hybrid, moved with the median), hybrid or asymptotic")
    few_events: bool = Field(description="asymptotic formulas are not to be trusted")
    toys: int = Field(description="hybrid: for each hypothesis and mu; lhc: all that were thrown; 0: asymptotic")
    observed_asymptotic: float | None = Field(description="observed, by asymptotic formulas, whatever the method")
    expected_asymptotic: tuple[float, ...] = Field(description="expected, by asymptotic formulas, whatever the method")
    expected_in_a: float = Field(description="background in the bins that hold most of the signal, events")
    model: str = Field(description="names of the exported files begin with this; _expected: with Asimov data")
    observed_hybrid: float | None = Field(
        default=None, description="observed, by hybrid toys; null where the method is asymptotic"
    )
    expected_hybrid: tuple[float, ...] = Field(
        default=(), description="expected, likewise; empty where the method is asymptotic"
    )
    error: float = Field(
        default=0.0, description="by lhc: of observed, or of the median of blinded data: relative, statistical"
    )
    failed: int = Field(default=0, description="by lhc: toys whose fit failed; they count against an exclusion")


@dataclass(frozen=True, config=KNOWN_KEYS)
class NamedLimit:
    """The limit of one model, or why there is none."""

    name: str = Field(description="of the model")
    refused: str = Field(description="why there is no limit; empty if there is")
    limit: StrengthLimit | None = Field(description="null if refused")


@dataclass(frozen=True, config=KNOWN_KEYS)
class StrengthsFile:
    """Content of strengths.json: limits on mu of the models of a search."""

    FORMAT: ClassVar[int] = 1
    COMMAND: ClassVar[str] = "hnl limits"

    format: int = Field(description="version of this file format")
    label: str = Field(description="luminosity and energy, for all products")
    hidden: bool = Field(description="data are blinded: results are expected ones")
    luminosity: float = Field(description="integrated luminosity in /fb")
    level: float = Field(description="confidence level")
    limits: tuple[NamedLimit, ...] = Field(description="one per model, in the order of the search")
    partial: tuple[str, ...] = Field(description="input files that were left out")
    provenance: dict[str, str] = Field(description="command, versions, code, machine and time")
