"""Demo samples as others have them: without vertices of generated particles, as in standard NanoAOD."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import uproot
import yaml

import hnl

DEMO = Path(hnl.__file__).parents[2] / "datasets" / "demo"
VERTICES = ("GenPart_vx", "GenPart_vy", "GenPart_vz")


def copy(source: Path, target: Path, *, renamed: Sequence[str] = ()) -> Path:
    """A ROOT file without `VERTICES`, or with other names for them; all else is the same."""
    with uproot.open(source) as old, uproot.recreate(target) as new:
        for name, kind in old.classnames(cycle=False).items():
            if kind == "TTree":
                columns = {branch.name: branch.array() for branch in old[name].branches}
                for branch in VERTICES:
                    values = columns.pop(branch, None)
                    if renamed and values is not None:
                        columns[renamed[VERTICES.index(branch)]] = values
                write(new, name, columns)
    return target


def write(file: Any, name: str, columns: dict[str, Any]) -> None:
    """A tree with jagged columns that share the counters of their collections."""
    jagged = {branch: values for branch, values in columns.items() if values.ndim > 1}
    counters = {branch: f"n{branch.partition('_')[0]}" for branch in jagged}
    flat = {b: ak.to_numpy(v) for b, v in columns.items() if b not in jagged and b not in counters.values()}
    types: dict[str, Any] = {b: v.dtype for b, v in flat.items()} | {b: v.type.content for b, v in jagged.items()}
    tree = file.mktree(name, types, counter_name=lambda branch: counters.get(branch, f"n{branch}"))
    if len(next(iter(columns.values()))):
        counted = {counter: ak.to_numpy(ak.num(jagged[branch])).astype("int32") for branch, counter in counters.items()}
        tree.extend(flat | jagged | counted)


def catalogue(folder: Path, *, stripped: Sequence[str], others: Sequence[str]) -> Path:
    """A catalogue of some of the demo's datasets, those that are `stripped` in files of their own."""
    content = yaml.safe_load((DEMO / "demo.yaml").read_text())
    content["datasets"] = [one for one in content["datasets"] if one["name"] in (*stripped, *others)]
    for one in content["datasets"]:
        (file,) = one["files"]
        one["files"] = [str(copy(DEMO / file, folder / file) if one["name"] in stripped else DEMO / file)]
    del content["eras"]["Demo"]["corrections"]
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path
