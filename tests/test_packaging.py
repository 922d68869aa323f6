"""The package: every room in the wheel, and no room's name taken from anybody else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import hnl

ROOT = Path(hnl.__file__).parents[2]
ROOMS = sorted(path.name for path in (ROOT / "src" / "hnl").iterdir() if path.is_symlink())


def test_the_wheel_made_from_the_sdist_holds_every_module(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("hnl/")}
    sources = [(ROOT / room, Path("hnl") / room) for room in ROOMS]
    expected = {
        str(target / path.relative_to(folder)) for folder, target in sources for path in folder.rglob("*.py")
    } | {f"hnl/{path.relative_to(ROOT / 'src' / 'hnl')}" for path in (ROOT / "src" / "hnl").glob("*.py")}
    assert len(ROOMS) >= 7
    assert expected <= packed
    assert "hnl/py.typed" in packed
    templates = {f"hnl/datasets/templates/{path.name}" for path in (ROOT / "datasets" / "templates").glob("*.yaml")}
    assert len(templates) >= 9
    assert templates <= packed


def test_rooms_are_not_packages_of_their_own(tmp_path: Path) -> None:
    code = f"from importlib.util import find_spec; print([r for r in {ROOMS} if find_spec(r)])"
    seen = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert seen.stdout.strip() == "[]"
    assert not [room for room in ROOMS if (ROOT / room / "__init__.py").exists()]


def test_rooms_import_only_rooms_above_them() -> None:
    order = [
        "physics", "datasets", "selections", "corrections", "processors", "ml", "histograms", "inference", "plots",
        "condor",
    ]  # fmt: skip
    wrong = []
    for i, room in enumerate(order):
        for path in sorted((ROOT / room).rglob("*.py")):
            text = path.read_text()
            wrong += [
                f"{path.name} imports {r}" for r in order[i + 1 :] if f"hnl.{r}" in text or f"hnl import {r}" in text
            ]
    assert wrong == []
