"""The parts of the page that any search has."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hnl.datasets import years
from hnl.inference.results import FitFile, StrengthsFile
from hnl.report import cutflow, fit_tables, taken
from hnl.report import strengths as strength_tables
from hnl.report.figures import Figure
from hnl.report.page import Section
from hnl.report.states import StageState
from hnl.report.tables import MISSING, count, short
from hnl.terminal import TextTable

if TYPE_CHECKING:  # for types only: report does not run the selection
    from hnl.datasets.catalogue import Dataset
    from hnl.processors.selection import Selection

SHOWN_IMPACTS = 10
TITLES = {
    "result": "Results",
    "selection": "Data and selection",
    "classifiers": "Classifiers",
    "background": "Background",
    "fit": "Fits",
    "k0s": "The score on data: K0S decays",
}
# Where a figure says nothing itself: what to look for.
CAPTIONS = {
    "result": "What lies within the line is excluded at 95 % CLs. The bands hold 68 and 95 % of background alone.",
    "selection": "Backgrounds are stacked and normalised to the luminosity, signals are lines. Data should follow the "
    "stack where they are shown.",
    "classifiers": "Trained and unseen events should agree: where they do not, a classifier has learned single events.",
    "background": "Prediction and counts should agree within their uncertainties wherever both are shown.",
    "fit": "Pulls far from 0, or with errors far below 1, are of nuisance parameters that the data decide on.",
    "k0s": "Data over simulation should be 1 within the uncertainty of the score.",
}


def with_captions(figures: Sequence[Figure], section: str) -> list[Figure]:
    """The figures of a section, each with a caption."""
    chosen = [figure for figure in figures if figure.section == section]
    return [f if f.caption else f.__class__(f.files, f.title, CAPTIONS[section], f.alt, section) for f in chosen]


def searched(selection: "Selection") -> str:
    """A sentence on what was looked at."""
    datasets = selection.catalogue.datasets
    events = sum(manifest.events for group in selection.manifests.values() for manifest in group)
    luminosity = sum(era.luminosity for era in selection.catalogue.eras.values())
    kinds = [(kind, sum(d.kind == kind for d in datasets)) for kind in ("data", "background", "signal")]
    listed = ", ".join(f"{number} of {kind}" for kind, number in kinds if number)
    return (
        f"{events:,} events were read, of {len(datasets)} datasets ({listed}), "
        f"for {luminosity:g}/fb at {years.in_words(selection.catalogue.energies)}."
    )


def of_selection(selection: "Selection", figures: Sequence[Figure]) -> Section:
    """Datasets, the cutflow with processes as rows, and distributions."""
    text = ["Events after each requirement are not weighted; the last column is normalised to the luminosity."]
    text += [f"{sentence}." for sentence in taken.told(selection.taken)]
    return Section(
        "selection",
        TITLES["selection"],
        text,
        [_datasets(selection), _cutflow(selection)],
        with_captions(figures, "selection"),
    )


def of_strengths(content: StrengthsFile, figures: Sequence[Figure]) -> Section:
    """Limits on the signal strength of models."""
    return Section(
        "result",
        TITLES["result"],
        ["Upper limits on the signal strength mu; the table names the method."],
        [strength_tables.of_models(content).text()],
        with_captions(figures, "result"),
    )


def of_fits(fits: Sequence[FitFile], figures: Sequence[Figure]) -> Section:
    """Fitted yields, and the nuisance parameters with the largest impacts."""
    tables = [
        table.text(SHOWN_IMPACTS if table.name.startswith("impacts_") else None)
        for content in fits
        for record in content.fits
        for table in fit_tables.tables(record, content.data, content.label)
    ]
    refused = [f"No fit of {name}: {reason}." for content in fits for name, reason in content.refused.items()]
    return Section("fit", TITLES["fit"], refused, tables, with_captions(figures, "fit"))


def of_states(states: Sequence[StageState]) -> Section:
    """How far the run is."""
    rows = [(one.stage, one.does, one.state, one.made or MISSING, one.reason) for one in states]
    headings = ("stage", "what it does", "state", "made (UTC)", "why")
    text = ["Each product is compared with the files, settings and code that made it; hnl status tells the same."]
    return Section("stages", "State of the run", text, [TextTable("", headings, rows)])


def of_provenance(record: Mapping[str, str]) -> Section:
    """What made the page."""
    rows = [(key, value) for key, value in record.items()]
    text = ["hnl provenance FILE follows a file back to the inputs that it was made from."]
    return Section("provenance", "Provenance", text, [TextTable("", ("of this page", ""), rows)])


def _datasets(selection: "Selection") -> TextTable:
    rows = []
    for dataset in selection.catalogue.datasets:
        manifests = selection.manifests[dataset.name]
        of_data = f"{selection.catalogue.era(dataset).luminosity:g}/fb" if dataset.is_data else ""
        size = of_data or ("-" if dataset.cross_section is None else f"{_digits(dataset.cross_section)} pb")
        rows.append(
            (
                dataset.name,
                dataset.kind,
                dataset.process,
                dataset.era,
                f"{sum(manifest.events for manifest in manifests):,}",
                size,
                _effective(selection, dataset),
                f"{sum(manifest.candidates for manifest in manifests):,}",
            )
        )
    of_simulation = ("luminosity or\ncross section", "effective\nluminosity")
    headings = ("dataset", "kind", "process", "era", "events", *of_simulation, "candidates")
    note = "effective luminosity: of as many events without weights as the simulated ones are worth"
    return TextTable("Datasets", headings, rows, note)


def _digits(value: float) -> str:
    """Four digits, whole numbers from 1000 on."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _effective(selection: "Selection", dataset: "Dataset") -> str:
    """(Sum of weights)^2 / (sum of squares) / cross section, in /fb."""
    if dataset.cross_section is None:
        return MISSING
    files = selection.files[dataset.name]
    known = [file["sum_w2"] for file in files]
    in_files = [value for value in known if value is not None]
    read = sum(manifest.sum_w2 for manifest in selection.manifests[dataset.name])
    squares = sum(in_files) if files and len(in_files) == len(files) else read
    if not squares:
        return MISSING
    sum_w = selection.sum_w[dataset.name]
    luminosity = selection.catalogue.era(dataset).luminosity
    return f"{short(float(f'{sum_w / squares * luminosity / selection.scale(dataset):.3g}'))}/fb"


def _cutflow(selection: "Selection") -> TextTable:
    """Processes as rows, requirements as columns."""
    stages, rows = cutflow.by_process(selection)
    luminosity = sum(era.luminosity for era in selection.catalogue.eras.values())
    shown = [
        (name, *(f"{events.get(stage, 0):,}" for stage in stages), MISSING if expected is None else count(expected))
        for name, events, expected in rows
    ]
    note = "With weights, by category and with all requirements but one: cutflow.json."
    return TextTable("Events after each requirement", ("process", *stages, f"in {luminosity:g}/fb"), shown, note)
