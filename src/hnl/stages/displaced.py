"""The stages of the displaced search."""

from dataclasses import replace

from hnl import layout, stages
from hnl.stages import Stage

# The parts of the settings that each stage names are those of `analyses.displaced`.
CUTS = ("leptons", "jets", "vertices", "events")
ESTIMATE = ("masses", "regions", "thresholds", "estimate")
SELECT = replace(stages.SELECT, settings=CUTS)
HISTOGRAM = replace(stages.HISTOGRAM, settings=())
_SCORES = (f"{layout.SCORES}/*.parquet", f"{layout.VARIED_SCORES}/*.parquet")

TRAIN = Stage(
    "train",
    "candidates -> classifiers",
    (layout.SELECTION,),
    (f"{layout.MODELS}/*",),
    ("hnl.ml.evaluation", "hnl.ml.models", "hnl.ml.sample", "hnl.ml.training", "hnl.ml.tuning"),
    wants_signal=True,
    settings=("masses", "training"),
)
SCORE = Stage(
    "score",
    "candidates and classifiers -> scores",
    (layout.SELECTION, f"{layout.MODELS}/*.json"),
    (f"{layout.SCORES}/*", f"{layout.VARIED_SCORES}/*", f"{layout.SCORE_MANIFESTS}/*"),
    ("hnl.ml.models", "hnl.ml.scoring"),
    wants_signal=True,
    settings=("masses",),
)
ABCD = Stage(
    "abcd",
    "scores -> ABCD regions, estimate, checks",
    (layout.SELECTION, layout.WEIGHTS, *_SCORES),
    (f"{layout.ABCD}/*",),
    (
        "hnl.corrections.weights",
        "hnl.histograms.displaced.abcd_files",
        "hnl.inference.abcd.files",
        "hnl.inference.abcd.results",
        "hnl.ml.scored",
        "hnl.report.displaced.abcd_layout",
    ),
    wants_signal=True,
    settings=ESTIMATE,
)
K0S = Stage(
    "k0s",
    "scores of K0S decays in data and simulation",
    (layout.SELECTION, f"{layout.MODELS}/*.json"),
    (f"{layout.K0S}/*",),
    ("hnl.corrections.weights", "hnl.inference.displaced.k0s"),
    in_run=False,
    settings=(*CUTS, "masses"),
)
_ESTIMATE = (layout.SELECTION, layout.WEIGHTS, *_SCORES, layout.ESTIMATE, layout.REGIONS)
LIMITS = Stage(
    "limits",
    "estimate -> excluded |V|^2",
    _ESTIMATE,
    stages.LIMITS.products,
    (
        "hnl.corrections.weights",
        "hnl.inference.displaced.inputs",
        "hnl.inference.displaced.limits",
        "hnl.inference.displaced.strengths",
        "hnl.report.displaced.hepdata",
        "hnl.report.displaced.limit_files",
        "hnl.report.strengths",
    ),
    wants_signal=True,
    settings=(*ESTIMATE, "limits"),
)
FIT = Stage(
    "fit",
    "estimate -> pulls, impacts, goodness of fit",
    _ESTIMATE,
    stages.FIT.products,
    (
        "hnl.corrections.weights",
        "hnl.inference.displaced.fitting",
        "hnl.inference.displaced.inputs",
        "hnl.report.fit_tables",
    ),
    wants_signal=True,
    settings=ESTIMATE,
)
PLOT = Stage(
    "plot",
    stages.PLOT.does,
    (
        layout.SELECTION,
        layout.CUTFLOW,
        layout.HISTOGRAMS,
        layout.EVALUATION,
        layout.ESTIMATE,
        layout.REGIONS,
        layout.K0S_FILE,
        *stages.RESULTS,
        layout.STYLE,
    ),
    (*stages.PLOT.products, f"{layout.K0S}/*.png", f"{layout.K0S}/*.pdf"),
    (
        "hnl.plots.cutflow",
        "hnl.plots.displaced.abcd",
        "hnl.plots.displaced.efficiencies",
        "hnl.plots.classifier",
        "hnl.plots.distributions",
        "hnl.plots.fits",
        "hnl.plots.displaced.k0s",
        "hnl.plots.displaced.limits",
    ),
    uses=("distributions",),
    settings=ESTIMATE,
)
REPORT = Stage(
    "report",
    stages.REPORT.does,
    (*stages.REPORT.needs, layout.EVALUATION, layout.ESTIMATE, layout.K0S_FILE, f"{layout.K0S}/*.png"),
    stages.REPORT.products,
    ("hnl.report.page", "hnl.report.summary"),
    uses=("title",),
)

STAGES = (SELECT, HISTOGRAM, TRAIN, SCORE, ABCD, K0S, LIMITS, FIT, PLOT, REPORT)
