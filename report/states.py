"""How far a run is: what the page and the terminal say of each stage."""

from collections.abc import Sequence
from dataclasses import dataclass

DONE, STALE, NOT_RUN = "as made", "out of date", "not run"


@dataclass(frozen=True)
class StageState:
    """Of one stage.

    Attributes:
        stage: its name.
        does: from what to what, for people.
        state: `DONE`, `STALE` or `NOT_RUN`.
        reason: why it is stale, or was not run; '' if that is not known.
        made: when it was run, UTC; '' if it was not.
    """

    stage: str
    does: str
    state: str
    reason: str = ""
    made: str = ""


def out_of_date(states: Sequence[StageState]) -> list[str]:
    """Sentences on products that would be others now."""
    return [f"{one.stage} is out of date: {one.reason}" for one in states if one.state == STALE]


def not_run(states: Sequence[StageState]) -> list[str]:
    """Reasons why stages were not run, as far as they are known."""
    return list(dict.fromkeys(one.reason for one in states if one.state == NOT_RUN and one.reason))
