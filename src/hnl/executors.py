"""Running a function over work units, here or in processes, through coffea's executors."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, Protocol

import loky
from coffea.processor import FuturesExecutor, IterativeExecutor
from coffea.util import coffea_console

from hnl.datasets.files import WorkUnit

ExecutorName = Literal["local", "iterative"]


class Job(Protocol):
    """Anything that knows its work unit and can be pickled."""

    @property
    def unit(self) -> WorkUnit:
        """The work unit."""


def run(
    function: Callable[[Any], list[Any]],
    jobs: Sequence[Job],
    *,
    executor: ExecutorName,
    workers: int | None,
    on_unit: Callable[[WorkUnit], None],
) -> list[Any]:
    """Calls `function` on every job.

    Args:
        function: returns a list; must not raise (coffea would print the traceback).
        jobs: in the order in which they are to be started.
        executor: 'local' (processes) or 'iterative' (this process).
        workers: number of processes, all cores by default.
        on_unit: told each unit when it is done.

    Returns:
        All lists together, in the order in which the jobs finished.
    """
    if not jobs:
        return []
    coffea_console.quiet = True  # its own progress bars cannot be switched off otherwise
    if executor == "iterative":
        results, _ = IterativeExecutor(status=False)(jobs, partial(_reporting, function, on_unit), [])
        return list(results)
    with _ReportingPool(min(workers or len(os.sched_getaffinity(0)), len(jobs)), on_unit) as pool:
        results, _ = FuturesExecutor(pool=pool, status=False, compression=None)(jobs, function, [])
    return list(results)


def _reporting(function: Callable[[Any], list[Any]], on_unit: Callable[[WorkUnit], None], job: Job) -> list[Any]:
    result = function(job)
    on_unit(job.unit)
    return result


class _ReportingPool(loky.ProcessPoolExecutor):  # type: ignore[misc]
    """The process pool that coffea uses, which also tells when a job is done."""

    def __init__(self, workers: int, on_unit: Callable[[WorkUnit], None]) -> None:
        super().__init__(max_workers=workers)
        self.on_unit = on_unit

    def submit(self, function: Callable[..., Any], job: Job) -> Any:
        future = super().submit(function, job)
        future.add_done_callback(lambda _: self.on_unit(job.unit))
        return future
