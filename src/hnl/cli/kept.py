"""What `hnl run` keeps of an earlier run: stages whose code, libraries, settings, inputs and products are the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hnl import lineage
from hnl.stages import Stage
from hnl.terminal import note

if TYPE_CHECKING:
    from hnl.stages.run import Run


def is_kept(at: "Run", stage: Stage, settings: Mapping[str, object], more: Sequence[Path] = ()) -> bool:
    """Whether a stage need not be run, which is told."""
    if lineage.stale(at.out, stage, more, settings):
        return False
    note(f"{stage.name}: as before")
    return True
