"""Planning and finishing grow with the number of files as they do in benchmarks/scale.py, only smaller."""

import importlib.util
from pathlib import Path

import hnl

FILES = 1000
SHARE = FILES / 100_000
CONSTANT = 10.0  # seconds for what does not grow with the number of files, on a slow and busy machine


def test_time_and_memory_for_a_hundred_thousand_files(tmp_path: Path) -> None:
    """Processor time within the share of a minute that so many files have."""
    path = Path(hnl.__file__).parents[2] / "benchmarks" / "scale.py"
    spec = importlib.util.spec_from_file_location("scale", path)
    assert spec is not None
    assert spec.loader is not None
    scale = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scale)
    results = scale.measure(tmp_path, FILES)
    for what in (
        "plan: work units, items, submit directory",
        "closure gate, merge, events twice, writing",
        "closure gate and merge (later stages)",
    ):
        _, processor, _ = results[what]
        assert processor < 60 * SHARE + CONSTANT, what
