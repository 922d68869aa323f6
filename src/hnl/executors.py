"""Running a function over work units: in this process, in processes of this machine, or on a dask cluster.

Workers only compute. Their results return to the process that started the run, which alone writes the output folder. So
no shared folder is needed, and nothing that outlives the run can write into it.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from hnl.errors import HNLError, InputError

if TYPE_CHECKING:
    import loky

ExecutorName = Literal["local", "iterative", "dask"]
BatchSystem = Literal["htcondor", "slurm", "lsf"]

# Largest number of attempts for a work unit whose worker died. More than one, because machines fail, or run out of
# memory by other programs. Few, because a unit that crashes its worker does so every time. Our choice.
ATTEMPTS = 3

# In a worker: folder of the support files (`run`). Elsewhere the present folder, as in a batch job.
support_files = Path()

Task = TypeVar("Task")
TaskResult = TypeVar("TaskResult")


class ExecutorError(InputError):
    """Contradictory options of execution, or an unusable cluster."""


class WorkerLostError(HNLError):
    """The process that worked on a unit died repeatedly."""


@dataclass(frozen=True)
class ExecutionOptions:
    """Options of execution: processes of this machine, or a cluster.

    Attributes:
        executor: 'local' (processes of this machine), 'iterative' (this process alone) or 'dask'.
        workers: number of processes, all cores by default; for 'local' and for dask on this machine.
        scheduler: for dask: address of a running scheduler.
        cluster: for dask: batch system in which to start workers. Without scheduler and cluster, dask uses this
            machine.
        cluster_config: YAML file with the needs of workers in a batch system, see `clusters.Config`.

    Raises:
        ExecutorError: options that exclude each other.
    """

    executor: str = "local"
    workers: int | None = None
    scheduler: str | None = None
    cluster: str | None = None
    cluster_config: Path | None = None

    def __post_init__(self) -> None:
        if self.executor not in get_args(ExecutorName):
            raise ExecutorError(f"no executor {self.executor!r}: it is {_either(get_args(ExecutorName))}")
        for option in ("scheduler", "cluster", "cluster_config"):
            if getattr(self, option) is not None and self.executor != "dask":
                raise ExecutorError(f"--{option.replace('_', '-')} is for --executor dask")
        if self.scheduler and self.cluster:
            raise ExecutorError("--scheduler is a cluster that runs, --cluster one to be started: give one of them")
        if self.cluster is not None and self.cluster not in get_args(BatchSystem):
            raise ExecutorError(f"no batch system {self.cluster!r}: it is {_either(get_args(BatchSystem))}")
        if (self.cluster is None) != (self.cluster_config is None):
            raise ExecutorError("--cluster and --cluster-config go together")
        if self.workers and (self.scheduler or self.cluster):
            raise ExecutorError("--workers is for this machine; a cluster says itself how many workers it has")


def run(
    function: Callable[[Task], TaskResult],
    jobs: Sequence[Task],
    execution: ExecutionOptions,
    on_note: Callable[[str], None] = lambda note: None,
    files: Mapping[str, Path] | None = None,
) -> Iterator[tuple[Task, TaskResult | WorkerLostError]]:
    """Calls `function` on every job.

    Args:
        function: function that workers can import; must not raise.
        jobs: jobs in the order of their start.
        execution: options of execution.
        on_note: called with sentences for the user, such as the death of a worker.
        files: small files that every dask worker has under these names in `support_files`.

    Yields:
        Each job with its result, in the order in which they finish; an error in place of the result if its workers
        died.

    Raises:
        ExecutorError: the cluster cannot be used.
    """
    if not jobs:
        return
    if execution.executor == "iterative":
        for job in jobs:
            yield job, function(job)
    elif execution.executor == "local":
        yield from _in_processes(function, jobs, min(execution.workers or cores(), len(jobs)), on_note)
    else:
        from hnl import clusters  # takes a second to import

        yield from clusters.run(function, jobs, execution, on_note, files or {})


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def lost(attempts: int) -> WorkerLostError:
    """The error of a job that was given up."""
    return WorkerLostError(f"its worker died {attempts} times (out of memory, killed, or a crash of a library)")


def _in_processes(
    function: Callable[[Task], TaskResult], jobs: Sequence[Task], workers: int, on_note: Callable[[str], None]
) -> Iterator[tuple[Task, TaskResult | WorkerLostError]]:
    """Runs jobs in processes. Each worker is a pool of one process, so that its death affects only its own job."""
    from concurrent.futures.process import BrokenProcessPool  # late, as loky

    waiting = deque((job, 1) for job in jobs)
    free = [_process() for _ in range(workers)]
    busy: dict[Future, tuple[loky.ProcessPoolExecutor, Task, int]] = {}
    finished: list[tuple[Task, TaskResult | WorkerLostError]] = []
    try:
        while waiting or busy or finished:
            while waiting and free:
                process, (job, attempt) = free.pop(), waiting.popleft()
                try:
                    future = process.submit(function, job)
                except BrokenProcessPool:  # it died while idle
                    waiting.appendleft((job, attempt))
                    free.append(_renewed(process))
                else:
                    busy[future] = process, job, attempt
            yield from finished
            finished = []
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                process, job, attempt = busy.pop(future)
                try:
                    finished.append((job, future.result()))
                except BrokenProcessPool:
                    process = _renewed(process)
                    if attempt < ATTEMPTS:
                        on_note("a worker died; the file it worked on is tried again")
                        waiting.append((job, attempt + 1))  # at the end, when most memory is free
                    else:
                        finished.append((job, lost(ATTEMPTS)))
                free.append(process)
    finally:
        for process in [*free, *(process for process, _, _ in busy.values())]:
            process.shutdown(kill_workers=True)


def _process() -> "loky.ProcessPoolExecutor":
    import loky  # when the first process starts: a command that ends in a message does without

    return loky.ProcessPoolExecutor(max_workers=1, initializer=_end_with, initargs=(os.getpid(),))


def _renewed(process: "loky.ProcessPoolExecutor") -> "loky.ProcessPoolExecutor":
    process.shutdown(kill_workers=True)
    return _process()


def _end_with(parent: int) -> None:
    """Ends a worker when the process that started it is gone, also by SIGKILL."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _either(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:-1]) + f" or {names[-1]!r}"
