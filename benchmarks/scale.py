"""Time of planning and finishing against the number of files: a catalogue of sparse files, parts with few candidates.

    python benchmarks/scale.py [--files 100000] [--folder FOLDER]

The files exist (so globs, sizes and times are real), but are empty: their content is put into the index of files, as
`hnl datasets check -o OUT` would do it. The jobs do not run either: each part is a copy of a part of the selection,
with its own event numbers. The real code is measured: planning of `hnl condor submit`, of a second `hnl select`,
`hnl condor status`, and the closure gate and merge, within the last step (`finish`) and alone.

Prints seconds, seconds of processor time, and the memory of the process (peak, MB).
"""

import argparse
import resource
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from hnl import layout, provenance, records
from hnl.condor import batch, worklist
from hnl.datasets import catalogue as catalogues
from hnl.datasets import files, index
from hnl.datasets.generator_weights import GeneratorWeights
from hnl.datasets.index import Index
from hnl.processors import parts, planning, selection, units
from hnl.processors.displaced.columns import COLUMNS
from hnl.processors.displaced.processor import DisplacedProcessor

DEMO = Path(files.__file__).parent / "demo" / "demo.yaml"
DATASETS, EVENTS, SIZE = 20, 50_000, 500_000_000  # number of datasets; events and bytes per file
# Weights of the generator: each has its sum in every manifest, and in the index of every file.
WEIGHTS = GeneratorWeights(scale=True, pdf="hessian", parton_shower=True)


@contextmanager
def measured(name: str, results: dict[str, tuple[float, float, float]]) -> Iterator[None]:
    """Prints and keeps seconds, seconds of processor time, and peak memory (MB) so far."""
    started, processor = time.perf_counter(), time.process_time()
    yield
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results[name] = seconds, processor, memory
    print(f"{name:45} {seconds:8.1f} s   {processor:8.1f} s (processor)   {memory:8.0f} MB", flush=True)


def template() -> tuple[files.FileInfo, dict[str, Any]]:
    """Properties of the demo's W sample, and its result of the selection."""
    demo = catalogues.load(DEMO)
    dataset = demo.dataset("wjets")
    info = files.inspect(dataset.files[0], dataset, demo.era(dataset))
    (unit,) = files.work_units(dataset.name, info)
    return info, DisplacedProcessor(demo.alone(dataset)).process(files.events(unit))[dataset.name]


def make_catalogue(folder: Path, n: int) -> Path:
    """`n` sparse files in DATASETS datasets, by name and by glob."""
    datasets = []
    for d in range(DATASETS):
        inside = folder / "data" / f"d{d}"
        inside.mkdir(parents=True)
        names = [inside / f"nano_{i}.root" for i in range(d, n, DATASETS)]
        for name in names:
            with name.open("wb") as file:
                file.truncate(SIZE)
        listed = [str(name) for name in names] if d % 2 else [f"{inside}/*.root"]
        datasets.append(
            {
                "name": f"d{d}",
                "era": "Demo",
                "kind": "background",
                "process": "w",
                "cross_section": 1.0,
                "generator_weights": WEIGHTS.model_dump(),
                "files": listed,
            }
        )
    content = {
        "eras": yaml.safe_load(DEMO.read_text())["eras"],
        "datasets": datasets,
        "batch": {"local_files": "shared"},
    }
    shutil.copytree(DEMO.parent / "corrections", folder / "corrections")
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def make_index(catalogue: Path, out: Path, info: files.FileInfo) -> None:
    """Fills the index of files as their inspection would."""
    loaded, known = catalogues.load(catalogue), Index(out / layout.INDEX)
    sums = tuple((name, 1.01 * (info.sum_w or 0.0)) for name in WEIGHTS.variations)
    for dataset in loaded.datasets:
        mark = index.request_digest(dataset, loaded)
        for path in dataset.files:
            uid = str(uuid.uuid5(uuid.NAMESPACE_URL, path))
            facts = {"path": path, "uuid": uid, "events": EVENTS, "generated_events": 2 * EVENTS}
            of_file = replace(info, **facts, variation_sums=sums)
            known.add(mark, index.signature_of(path, loaded), of_file)
    known.save()


def make_parts(out: Path, plan: planning.Plan, result: dict[str, Any]) -> None:
    """One part per work unit, without syncing to disk, for which a real run can wait."""
    dataset = plan.catalogue.datasets[0]
    varied = units.variations(dataset, plan.catalogue)
    first = parts.make(plan.jobs[0].unit, result, COLUMNS, plan.jobs[0].fingerprint, variations=varied)
    table = pq.read_table(pa.BufferReader(first.parquet))
    table = table[:2]
    for i, job in enumerate(plan.jobs):
        numbers = pa.array([2 * i, 2 * i + 1], pa.uint64())
        sink = pa.BufferOutputStream()
        pq.write_table(
            table.set_column(table.schema.get_field_index("event"), table.schema.field("event"), numbers), sink
        )
        content = sink.getvalue().to_pybytes()
        unit = job.unit
        manifest = replace(
            first.manifest,
            **parts.identity(unit, job.fingerprint, content), events=EVENTS, candidates=2, rows=2, lists=0,
            variation_sums=dict.fromkeys(WEIGHTS.variations, 1.01 * first.manifest.sum_w),
        )  # fmt: skip
        parquet, path = parts.paths(out, unit.dataset, unit.name)
        for each in (parquet, path):
            each.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_bytes(content)
        path.write_text(provenance.json.dumps(records.as_record(manifest), indent=1))


def measure(folder: Path, n: int) -> dict[str, tuple[float, float, float]]:
    """All measurements, in an empty folder."""
    results: dict[str, tuple[float, float, float]] = {}
    out = folder / "out"
    with measured("(making the catalogue and its files)", results):
        info, result = template()
        catalogue = make_catalogue(folder, n)
        make_index(catalogue, out, info)
    with measured("load the catalogue", results):
        catalogues.load(catalogue)
    with measured("plan: work units, items, submit directory", results):
        submission = batch.submit(catalogue, out)
    print(f"{submission.units} work units in {submission.items} jobs")
    with measured("plan again (hnl select)", results):
        plan = planning.plan(catalogue, out)
    with measured("(making the parts)", results):
        make_parts(out, plan, result)
    with measured("hnl condor status", results):
        assert batch.state(out).missing == 0
    with measured("look for what is done (hnl select)", results):
        assert plan.waiting(out) == []
    plan, _ = worklist.read(out / layout.WORK)
    with measured("closure gate, merge, events twice, writing", results):
        finished = selection.finish(out, plan)
    assert sum(len(group) for group in finished.manifests.values()) == n
    with measured("closure gate and merge (later stages)", results):
        loaded = selection.load(out)
    with measured("candidates of one dataset", results):
        assert len(loaded.candidates("d0")["event"]) == 2 * len(loaded.manifests["d0"])
    return results


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured [default: a temporary one]")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hnl_scale_", dir=arguments.folder))
    try:
        measure(folder, arguments.files)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
