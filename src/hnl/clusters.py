"""Work units on a dask cluster: a running one, one started in a batch system, or one on this machine.

`distributed` is used directly. coffea's DaskExecutor adds results up in a tree on the workers: it loses all of them
when a worker is lost, and cannot tell which work unit killed it.
"""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import dask
from dask_jobqueue.core import Job as BatchJob
from dask_jobqueue.htcondor import HTCondorCluster
from dask_jobqueue.lsf import LSFCluster
from dask_jobqueue.slurm import SLURMCluster
from distributed import Client, Future, KilledWorker, LocalCluster, SpecCluster, Worker, WorkerPlugin, as_completed
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hnl import dependencies, executors, provenance
from hnl.datasets import yaml_lines
from hnl.errors import HNLError
from hnl.executors import ExecutionOptions, ExecutorError, Task, TaskResult, WorkerLostError, cores, lost

CLUSTERS: dict[str, type[SpecCluster]] = {"htcondor": HTCondorCluster, "slurm": SLURMCluster, "lsf": LSFCluster}
# Work units in the scheduler at once: enough to keep any cluster busy, and little memory.
AT_ONCE = 5000


class ClusterLostError(HNLError):
    """The scheduler went away during the run."""


class Config(BaseModel):
    """Content of --cluster-config: number of workers, and arguments of the jobs of the batch system."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum: int = Field(0, ge=0, description="workers that are kept even when there is nothing to do")
    maximum: int = Field(gt=0, description="most workers at once")
    job: dict[str, Any] = Field(
        description="arguments of dask-jobqueue's cluster: cores, memory, walltime, queue, disk (HTCondor), ..."
    )

    @model_validator(mode="after")
    def _ordered(self) -> "Config":
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self


def read_config(path: Path, batch_system: str) -> Config:
    """Reads and checks a file for --cluster-config.

    Raises:
        ExecutorError: the file cannot be read, or has an unknown key.
    """
    document = yaml_lines.read(path, "configuration", "it has the keys 'maximum' and 'job'", ExecutorError)
    try:
        config = Config.model_validate(document.content)
    except ValidationError as error:
        raise document.invalid(error) from None
    known = _known(CLUSTERS[batch_system].job_cls)
    if unknown := sorted(config.job.keys() - known):
        message = f"job: unknown key {unknown[0]!r} for {batch_system}; known: {', '.join(known)}"
        raise document.wrong(("job", unknown[0]), message)
    return config


def _known(job_class: type) -> dict[str, None]:
    """Names of the arguments of a job of this batch system, from the signatures of its classes."""
    names: dict[str, None] = {}
    for cls in (job_class, BatchJob):
        names |= dict.fromkeys(inspect.signature(cls).parameters)
    return {name: None for name in names if name not in ("scheduler", "name", "kwargs", "base_class_kwargs")}


class SupportFiles(WorkerPlugin):  # type: ignore[misc]
    """Puts files into the folder of every worker, also of workers that join later.

    Files of different content must have different names, because runs may share a worker.
    """

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents

    def setup(self, worker: Worker) -> None:
        """Writes the files; runs in the worker."""
        executors.support_files = Path(worker.local_directory)
        for name, content in self.contents.items():
            provenance.write_bytes(executors.support_files / name, content)


def run(
    function: Callable[[Task], TaskResult],
    jobs: Sequence[Task],
    execution: ExecutionOptions,
    on_note: Callable[[str], None],
    files: Mapping[str, Path],
) -> Iterator[tuple[Task, TaskResult | WorkerLostError]]:
    """`executors.run` on a dask cluster.

    Raises:
        ExecutorError: the cluster cannot be used, or its workers run other code.
        ClusterLostError: the scheduler went away.
    """
    with _client(execution) as client:
        check_code(client)
        support_files = SupportFiles({name: path.read_bytes() for name, path in files.items()})
        client.register_plugin(
            support_files, name=f"hnl-{provenance.digest(sorted(files))}"
        )  # registered again under the same name, it replaces the first
        if not client.scheduler_info()["workers"]:
            on_note(f"no worker has joined {client.scheduler.address} yet: waiting")
        name, pending = f"hnl-{uuid4()}", dict[str, Task]()
        # The first jobs are the largest, and keep their order on the cluster.
        queue = (
            (job, client.submit(function, job, key=f"{name}-{i}", pure=False, priority=-i))
            for i, job in enumerate(jobs)
        )

        def more(n: int) -> list[Future]:
            new = list(islice(queue, n))
            pending.update({future.key: job for job, future in new})
            return [future for _, future in new]

        completed = as_completed(more(AT_ONCE))
        for future in completed:
            completed.update(more(1))
            yield pending.pop(future.key), _result(future, len(pending) + 1)


def _result(future: Future, unfinished: int) -> Any:
    try:
        return future.result()
    except KilledWorker:
        return lost(int(dask.config.get("distributed.scheduler.allowed-failures")) + 1)
    except CancelledError:
        raise ClusterLostError(
            f"the dask scheduler went away with {unfinished} work units to do; the same command does only these"
        ) from None
    except Exception as error:  # an error of dask: the function itself does not raise
        return WorkerLostError(f"its worker could not run it: {type(error).__name__}: {error}")


def check_code(client: Client) -> None:
    """Refuses workers with code or libraries that would not give the same candidates as those of this process.

    Workers that join later are checked with every work unit, see `processors.units.process_unit`.

    Raises:
        ExecutorError: the message names the worker.
    """
    expected = dependencies.whole_digest()
    for worker, actual in client.run(dependencies.whole_digest, on_error="return").items():
        if isinstance(actual, BaseException):
            reason = f"{type(actual).__name__}: {actual}"
            raise ExecutorError(f"the dask worker {worker} cannot run this version of hnl: {reason}")
        if actual != expected:
            raise ExecutorError(
                f"the dask worker {worker} has other code or libraries (digest {actual[:12]}, here {expected[:12]}): "
                "install the same version of hnl there, with the same lock file"
            )


@contextmanager
def _client(execution: ExecutionOptions) -> Iterator[Client]:
    """A client of the cluster. A cluster that was started for it ends with it."""
    if execution.scheduler:
        try:
            client = Client(execution.scheduler)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise ExecutorError(f"no dask scheduler answers at {execution.scheduler}: {reason}") from error
        with client:
            yield client
        return
    # One work unit per worker at a time: if the worker dies, it is clear which unit it worked on.
    with dask.config.set({"distributed.scheduler.worker-saturation": 1.0}):
        cluster = _started(execution)
        with cluster, Client(cluster) as client:
            yield client


def _started(execution: ExecutionOptions) -> SpecCluster:
    if not execution.cluster or not execution.cluster_config:
        return LocalCluster(
            n_workers=execution.workers or cores(),
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=logging.ERROR,
        )
    config = read_config(execution.cluster_config, execution.cluster)
    try:
        cluster = CLUSTERS[execution.cluster](**config.job, scheduler_options={"dashboard_address": None})
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise ExecutorError(f"{execution.cluster_config}: {execution.cluster} refuses it: {error}") from error
    cluster.adapt(minimum=config.minimum, maximum=config.maximum)
    return cluster
