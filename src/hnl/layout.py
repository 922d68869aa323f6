"""Every file name of an output folder OUT, relative to it."""

from pathlib import Path

from hnl.errors import InputError

SELECTION = "selection.json"
CUTFLOW = "cutflow.json"
SETTINGS = "settings.json"  # of the search, as far as the catalogue changes them; absent if it changes none
WEIGHTS = "weights.json"  # of the catalogue; not there without any
PLAN = "plan.json"
INDEX = "files.json"  # what is known of input files
# Folders of parquet alone, which other tools open whole: a row for each nominal candidate.
CANDIDATES = "candidates"  # DATASET/UNIT.parquet
SCORES = "scores"  # DATASET.parquet
# The same files, of candidates if jet energies are varied.
VARIED_CANDIDATES = f"variations/{CANDIDATES}"
VARIED_SCORES = f"variations/{SCORES}"
PARTICLES = f"particles/{CANDIDATES}"  # a row for each jet of candidates: lists of its particles and vertices
# The same names with .json: what vouches for these files.
MANIFESTS = f"manifests/{CANDIDATES}"
SCORE_MANIFESTS = f"manifests/{SCORES}"

UNBLINDED = "unblinded.json"  # is there if the signal region of data may be shown
HISTOGRAMS_ROOT = "histograms.root"
HISTOGRAMS = "histograms.json"

MODELS = "models"  # TRAINING.json and TRAINING_foldK.ubj
EVALUATION = "models/evaluation.json"

ABCD = "abcd"  # and a CSV and a LaTeX file for each table
ESTIMATE = "abcd/abcd.json"
THRESHOLDS = "abcd/thresholds.json"
REGIONS_ROOT = "abcd/histograms.root"
REGIONS = "abcd/histograms.json"

K0S = "k0s"  # and figures
K0S_FILE = "k0s/k0s.json"

PLOTS = "plots"
FIGURES = "plots/figures.json"
STYLE = "plots/style.mplstyle"  # of a user
REPORT = "report.html"
PROVENANCE = "provenance"  # STAGE.json
CONDOR = "condor"
WORK = "condor/work.json"

# Results with a folder that depends on whether they are a projection, see `limits` and `fit`.
LIMITS_FILE = "limits.json"
LIMITS_TABLE = "limits.csv"
STRENGTHS_FILE = "strengths.json"  # of a search without a scan
COMPARISON_TABLE = "table5.csv"
STRENGTHS_TABLE = "strengths.csv"
HEPDATA = "hepdata"
POINTS = "points"
STATISTICAL_MODELS = "models"
MODELS_README = "README.md"
FIT_FILE = "fit.json"


def limits(luminosity: float | None = None) -> str:
    """Folder of limits. A projection to a luminosity (/fb) is never to be taken for limits from data."""
    return "limits" if luminosity is None else f"projection_{luminosity:g}fb"


def fit(luminosity: float | None = None) -> str:
    """Folder of fits."""
    return "fit" if luminosity is None else f"fit_projection_{luminosity:g}fb"


def finished(out: Path) -> Path:
    """The file of a finished selection.

    Raises:
        InputError: there is none, or no such folder.
    """
    path = out / SELECTION
    if not path.is_file():
        missing = "no such folder" if not out.is_dir() else f"no {SELECTION}"
        raise InputError(f"{out} holds no finished selection ({missing}): run hnl select first")
    return path


# As patterns: of data, and of projections.
EVERY_LIMITS = (f"limits/{LIMITS_FILE}", f"projection_*/{LIMITS_FILE}")
EVERY_STRENGTHS = (f"limits/{STRENGTHS_FILE}",)
EVERY_FIT = (f"fit/{FIT_FILE}", f"fit_projection_*/{FIT_FILE}")
