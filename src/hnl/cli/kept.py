"""What `hnl run` keeps of an earlier run: stages whose code, libraries, settings, inputs and products are the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hnl import layout, lineage
from hnl.lineage import AtWork
from hnl.stages import Stage
from hnl.terminal import note

if TYPE_CHECKING:
    from hnl.plots.style import Drawn
    from hnl.stages.run import Run


def is_kept(at: "Run", stage: Stage, settings: Mapping[str, object], more: Sequence[Path] = ()) -> bool:
    """Whether a stage need not be run, which is told."""
    if lineage.stale(at.out, stage, more, settings):
        return False
    note(f"{stage.name}: as before")
    return True


def tell_figures(noted: AtWork, figures: "Sequence[Drawn]") -> None:
    """Notes titles and names of figures, for a report that is written without the stage."""
    noted.told["figures"] = [[figure.title, figure.path.name] for figure in figures]


def figures_of(at: "Run", stage: Stage) -> list[tuple[str, Path]]:
    """What `tell_figures` has noted: title, PNG."""
    return [(title, at.out / layout.PLOTS / name) for title, name in lineage.told(at.out, stage).get("figures", ())]
