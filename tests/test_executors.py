"""Where work is done: options that make no sense, what a cluster is told, and a batch system."""

import os
import stat
import sys
from pathlib import Path

import pytest
import yaml

from hnl import clusters, executors
from hnl.executors import ExecutionOptions, ExecutorError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"executor": "spark"}, "no executor 'spark': it is 'local', 'iterative' or 'dask'"),
        ({"scheduler": "tcp://a:1"}, "--scheduler is for --executor dask"),
        ({"executor": "local", "cluster_config": Path("a")}, "--cluster-config is for --executor dask"),
        ({"executor": "dask", "cluster": "pbs", "cluster_config": Path("a")}, "no batch system 'pbs'"),
        ({"executor": "dask", "cluster": "slurm"}, "--cluster and --cluster-config go together"),
        ({"executor": "dask", "cluster": "slurm", "scheduler": "tcp://a:1"}, "give one of them"),
        ({"executor": "dask", "scheduler": "tcp://a:1", "workers": 3}, "--workers is for this machine"),
    ],
)
def test_options_that_do_not_go_together(options: dict, words: str) -> None:
    with pytest.raises(ExecutorError, match=words):
        ExecutionOptions(**options)


@pytest.mark.parametrize("how", [ExecutionOptions("iterative"), ExecutionOptions("local", workers=2)])
def test_every_job_once(how: ExecutionOptions) -> None:
    assert sorted(executors.run(abs, [-3, 2, -1], how)) == [(-3, 3), (-1, 1), (2, 2)]
    assert list(executors.run(abs, [], how)) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("job: {}\n", "maximum: Field required"),
        ("maximum: 0\njob: {}\n", "maximum: Input should be greater than 0"),
        ("maximum: 2\nminimum: 3\njob: {}\n", "minimum 3 is above maximum 2"),
        ("maximum: 2\nwalltime: 1\njob: {}\n", "line 2: walltime: unknown key 'walltime'"),
        ("maximum: 2\njob: {coers: 1}\n", "line 2: job: unknown key 'coers' for slurm; known: .*cores"),
        ("maximum: 2\njob: {disk: 1GB}\n", "unknown key 'disk' for slurm"),
        ("- a\n", "it has the keys 'maximum' and 'job'"),
        ("maximum: [\n", "not valid YAML"),
    ],
)
def test_configurations_that_are_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(content)
    with pytest.raises(ExecutorError, match=words) as caught:
        clusters.read_config(path, "slurm")
    assert str(path) in str(caught.value)


def test_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ExecutorError, match=r"cannot read the configuration .*none\.yaml"):
        clusters.read_config(tmp_path / "none.yaml", "lsf")


def test_what_the_batch_system_refuses(tmp_path: Path) -> None:
    """dask-jobqueue wants memory."""
    path = tmp_path / "cluster.yaml"
    path.write_text("maximum: 1\njob: {cores: 1}\n")
    how = ExecutionOptions("dask", cluster="slurm", cluster_config=path)
    with pytest.raises(ExecutorError, match=r"cluster\.yaml: slurm refuses it"):
        list(executors.run(abs, [-1], how))


SBATCH = """#!{python}
# Slurm with one machine, this one: takes a copy of the script, starts it, tells a number.
import subprocess, sys
log, script = open({log!r}, "ab"), open(sys.argv[-1], "rb").read()
process = subprocess.Popen(["bash", "-c", script], stdout=log, stderr=log, start_new_session=True)
log.write(script)
print("Submitted batch job", process.pid)
"""
SCANCEL = """#!{python}
import os, signal, sys
for job in sys.argv[1:]:
    try:
        os.killpg(int(job), signal.SIGTERM)
    except ProcessLookupError:
        pass
"""


def test_a_batch_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are submitted with what the file says, do the work, and are cancelled. The two commands of Slurm are
    stand-ins that run the real job script here."""
    log = tmp_path / "log"
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        path = tmp_path / name
        path.write_text(text.format(python=sys.executable, log=str(log)))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    job = {"cores": 1, "processes": 1, "memory": "1GB", "walltime": "00:10:00", "queue": "short", "interface": "lo"}
    path = tmp_path / "cluster.yaml"
    path.write_text(yaml.safe_dump({"maximum": 2, "job": job | {"local_directory": str(tmp_path)}}))
    how = ExecutionOptions("dask", cluster="slurm", cluster_config=path)
    assert sorted(executors.run(abs, list(range(-9, 0)), how)) == [(i, -i) for i in range(-9, 0)]
    script = log.read_text()
    assert "#SBATCH -p short" in script
    assert "#SBATCH -t 00:10:00" in script
