"""However the work is done, by whomever, whoever dies of it: candidates, counts, histograms are the same to the bit.

The catalogue has weights, and energies of jets that vary: candidates of all variations are compared.
"""

import sys
from pathlib import Path

import faulty
import pool
from faulty import Search
from inject.faults_at_open import fault

from hnl.condor import batch

RUNS = {
    "iterative": ("--executor", "iterative"),
    "two processes": ("--workers", "2"),
    "dask": ("--executor", "dask", "--workers", "2"),
    "dask with a worker killed": ("--executor", "dask", "--workers", "2"),
}


def test_all_ways_give_the_same(search: Search, tmp_path: Path) -> None:
    """Last, the job script of HTCondor, once for each item of the submit description, each in an empty folder."""
    for i, (name, options) in enumerate(RUNS.items()):
        out, notes = tmp_path / str(i), tmp_path / f"notes{i}"
        killing = fault("kill", search.folder / "w3.root", notes, out) if "killed" in name else ""
        process = faulty.command("select", search.catalogue, "-o", out, *options, fault=killing)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        assert "8/8 files" in said
        assert ("killed" in name) == (notes / "0").exists(), name
        assert faulty.run("histogram", out)[0] == 0
        assert faulty.products(out) == search.expected, name
        faulty.wait_for(lambda: not faulty.members(process.pid), f"the end of all processes: {name}", 30)  # noqa: B023

    out = tmp_path / "condor"
    settings = {"local_files": "transferred", "python": sys.executable, "events_per_job": 40_000}
    batch.submit(search.changed(lambda catalogue: catalogue.update(batch=settings)), out)
    ended = pool.run(out / "condor")
    assert len(ended) > 2
    assert [(job.status, job.stderr) for job in ended] == [(0, "")] * len(ended)
    batch.collect(out)
    assert faulty.run("histogram", out)[0] == 0
    assert faulty.products(out) == search.expected
