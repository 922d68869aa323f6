"""What the stage `abcd` tells: one class for the rows of each table, and all tables together.

The order of the fields is that of the keys on disk and of the columns of CSV files; a base class comes before what is
added to it, of several the last one named first. None stands for what is undefined, unlimited or hidden; `mark` says
which. Yields are events expected in the luminosity, or counts of data.
"""

# ruff: noqa: N815 - regions are called A to D

from pydantic import BaseModel, ConfigDict, Field

from hnl.records import Record

ALL = "all"  # bins of a category together, or categories together
# Marks that are looked for.
HIDDEN = "A hidden"
NO_CLASSIFIER = "no classifier for this flavour and mass"
NO_TEST = "cannot tell a factor of 3"


class Row(BaseModel):
    """Base of all rows: nothing unknown, nothing that changes, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def record(self) -> Record:
        """For JSON and CSV."""
        return self.model_dump()


class ThresholdRow(Row):
    """The threshold of a category, and what the scan says of it."""

    hypothesis: str = Field(description="of `HYPOTHESES`")
    category: str = Field(description="label, of `CATEGORIES`")
    x: float = Field(description="threshold on the score, 0.2 to 1")
    figure_of_merit: float | None = Field(description="Z^2 at x, in units of the largest of the scan")
    signal_fraction: float | None = Field(description="share of the signal in the SR of this category that is in A")
    background: float | None = Field(description="B C / D, bins with D added up; events")
    uncertainty: float | None = Field(description="its relative error, upwards")
    smallest_c: float | None = Field(description="smallest expected yield in C of a bin; events")
    poor_bins: float | None = Field(description="number of bins with fewer than `least_c` events expected in C")
    mark: str = Field(description="what has to be said about it, or ''")


class _InBin(Row):
    sample: str = Field(description="'data' or 'simulation'")
    hypothesis: str = Field(description="of `HYPOTHESES`")
    category: str = Field(description="label, of `CATEGORIES`")
    bin: str = Field(description="limits in m_SV (GeV) and Delta_2D (cm), or 'all'")


class _AtThreshold(_InBin):
    x: float = Field(description="threshold on the score")


class Comparison(Row):
    """Yields in A to D, the prediction of A, and how well they agree."""

    A: float | None = Field(description="yield in A; events")
    B: float = Field(description="yield in B; events")
    C: float = Field(description="yield in C; events")
    D: float = Field(description="yield in D; events")
    A_error: float | None = Field(description="root of the sum of squared weights in A; events")
    prediction: float | None = Field(description="c_AB B C / D; events; of all bins together those that have one")
    stat_down: float | None = Field(description="its statistical error downwards, 68.3 %; events")
    stat_up: float | None = Field(description="upwards; None if unlimited")
    low95: float | None = Field(description="lower end of its interval of 95 %; events; single bins only")
    high95: float | None = Field(description="upper end; None if unlimited")
    pull: float | None = Field(description="of A from the prediction, in standard deviations")
    ratio: float | None = Field(description="A over the prediction")
    chi2: float | None = Field(description="sum of squared pulls; bins together only")
    ndf: int | None = Field(description="number of pulls in it")
    p_value: float | None = Field(description="of chi2, or of a melded interval in the simulated closure")
    mark: str = Field(description="what has to be said about it, or ''")


class _Correction(Row):
    c_ab: float | None = Field(description="factor on the prediction (section 6); single bins only")
    c_ab_uncertainty: float | None = Field(description="its uncertainty")


class _Total(Row):
    closure: float = Field(description="relative uncertainty of the prediction from the closure, of the category")
    total_down: float | None = Field(description="total error of the prediction downwards; events")
    total_up: float | None = Field(description="upwards; None if unlimited")


class YieldRow(_Total, _Correction, Comparison, _AtThreshold):
    """SR: yields and prediction of a bin, or of all bins of a category."""


class ClosureRow(_Total, Comparison, _InBin):
    """CR: the same."""


class _Selected(Row):
    hypothesis: str = Field(description="of `HYPOTHESES`")
    selection: str = Field(description="N(jets): SR (one), VR (more), or SR+VR")
    threshold: str = Field(description="x in words: a number, or 'chosen'")
    category: str = Field(description="label of a category, 'l2 electron', 'l2 muon', or 'all'")


class _Interval(Row):
    ratio_low: float | None = Field(description="lower end of the 68.3 % interval of A over its prediction")
    ratio_high: float | None = Field(description="upper end; None if unlimited")
    tested: int = Field(description="whether the counts can tell something; of 'all' the number that can")


class SimulatedClosureRow(_Interval, Comparison, _Selected):
    """Simulation: closure around the window of the SR, bins together."""


class CorrelationRow(_InBin):
    """VR: Pearson coefficient of score and m(l1,SV)."""

    coefficient: float | None = Field(description="-1 to 1")
    p_value: float | None = Field(description="two-sided")
    events: float = Field(description="effective number of independent events")
    mark: str = Field(description="what has to be said about it, or ''")


class ShapeRow(Row):
    """VR: score in AB against CD (Fig. 8)."""

    sample: str = Field(description="'data' or 'simulation'")
    hypothesis: str = Field(description="of `HYPOTHESES`")
    lepton: str = Field(description="flavour of l2")
    chi2: float | None = Field(description="of the two normalised histograms")
    ndf: int = Field(description="degrees of freedom")
    p_value: float | None = Field(description="of chi2")
    mark: str = Field(description="what has to be said about it, or ''")


class ContaminationRow(Row):
    """SR: where the signal of a dataset is, and how much it adds to the sidebands."""

    hypothesis: str = Field(description="of `HYPOTHESES`")
    signal: str = Field(description="name of the dataset")
    category: str = Field(description="label, of `CATEGORIES`, or 'all'")
    events: float = Field(description="signal in A to D; events")
    share_A: float | None = Field(description="share of the signal in A")
    share_B: float | None = Field(description="in B")
    share_C: float | None = Field(description="in C")
    share_D: float | None = Field(description="in D")
    s_over_b_B: float | None = Field(description="signal over background in B")
    s_over_b_C: float | None = Field(description="in C")
    s_over_b_D: float | None = Field(description="in D")
    mark: str = Field(description="what has to be said about it, or ''")


class DYRow(Row):
    """SR: correction for Drell-Yan dimuons of a bin (section 6)."""

    hypothesis: str = Field(description="of `HYPOTHESES`")
    category: str = Field(description="label, of `CATEGORIES`")
    bin: str = Field(description="limits in m_SV (GeV) and Delta_2D (cm)")
    c_dy: float | None = Field(description="direct count in A over B C / D, of simulated Drell-Yan")
    f_dy: float = Field(description="share of Drell-Yan in A")
    c_ab: float = Field(description="1 + (c_dy - 1) f_dy")
    uncertainty: float = Field(description="of c_ab, from the size of the sample")
    mark: str = Field(description="what has to be said about it, or ''")


class EstimateTables(BaseModel):
    """The rows of every table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    thresholds: tuple[ThresholdRow, ...] = Field((), description="of each category, and what the scan says of them")
    yields: tuple[YieldRow, ...] = Field((), description="regions A to D, and the prediction")
    closure: tuple[ClosureRow, ...] = Field((), description="prediction beside the count of A, in the control region")
    simulated_closure: tuple[SimulatedClosureRow, ...] = Field((), description="the same in simulated background")
    correlation: tuple[CorrelationRow, ...] = Field((), description="of score and m(l1,SV), in the validation region")
    shapes: tuple[ShapeRow, ...] = Field((), description="of the score in the two parts of the validation region")
    contamination: tuple[ContaminationRow, ...] = Field((), description="signal in each region")
    dy_correction: tuple[DYRow, ...] = Field((), description="factor on the prediction for Drell-Yan")
