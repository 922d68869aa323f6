"""Search for long-lived heavy neutral leptons: from NanoAOD to exclusion limits, in columnar Python."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hnl.output import Output

__version__ = "0.1.0"


def open(folder: str | Path) -> "Output":  # as in `uproot.open`
    """Opens the output folder of a run, see `hnl.output.Output`.

    Raises:
        InputError: it is none, or has no finished selection.
    """
    from hnl.output import Output  # with all of hnl, which `import hnl` need not import

    return Output(folder)
