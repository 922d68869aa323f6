"""What has to be known before the results of a run are believed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hnl.datasets.catalogue import PSEUDODATA, data_name
from hnl.report import certification, taken
from hnl.report.page import Notice
from hnl.report.states import StageState, not_run, out_of_date

if TYPE_CHECKING:  # for types only: report does not run the selection
    from hnl.processors.selection import Selection


def notices(selection: "Selection", hidden: Sequence[str], few: str, states: Sequence[StageState]) -> list[Notice]:
    """Notices for a run.

    Args:
        selection: of the run.
        hidden: sentences on what of data is not shown.
        few: a sentence if there are too few events for what was done; else ''.
        states: of the stages.
    """
    data = [dataset for dataset in selection.catalogue.datasets if dataset.is_data]
    made: list[Notice] = []
    if not data:
        made.append(Notice("Simulated", "there are no data: everything here is from simulation"))
    elif data_name(data) == PSEUDODATA:
        made.append(Notice("Simulated", "the data are pseudo-data, drawn from simulation: nothing here was measured"))
    made += [Notice("Blinded", sentence) for sentence in dict.fromkeys(hidden)]
    if selection.partial:
        made.append(Notice("Partial", f"{len(selection.partial)} files were left out: {'; '.join(selection.partial)}"))
    made += [Notice("Other code", sentence) for sentence in taken.warnings(selection.taken)]
    made += [Notice("Few events", few)] if few else []
    made += [Notice("Warning", sentence) for sentence in certification.warnings(selection)]
    made += [Notice("Out of date", sentence) for sentence in out_of_date(states)]
    made += [Notice("Not done", sentence) for sentence in not_run(states)]
    return made
