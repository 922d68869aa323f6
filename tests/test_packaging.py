"""The package: every room in the wheel, and no room's name taken from anybody else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import hnl
from hnl import dependencies, stages
from hnl.stages.displaced import STAGES

ROOT = Path(hnl.__file__).parents[2]
DEMO = ROOT / "datasets" / "demo"
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
    assert "hnl/report/page.html" in packed
    assert wheel.stat().st_size < 3_000_000
    samples = {name for name in packed if name.endswith(".root")}
    assert samples == {f"hnl/datasets/demo/small/{path.name}" for path in (DEMO / "small").glob("*.root")}
    demo_without_a_checkout(wheel, tmp_path)


def demo_without_a_checkout(wheel: Path, folder: Path) -> None:
    """Installed, `hnl demo` takes the samples of the wheel, and these can be used with their corrections."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder / "lib"]
    subprocess.run([*pip, wheel], check=True, capture_output=True)
    (folder / "taken").touch()
    catalogue = folder / "lib" / "hnl" / "datasets" / "demo" / "small" / "small.yaml"
    for arguments, status, words in (
        (["demo", "-o", "taken/out"], 2, f"samples: {catalogue}\nerror: cannot write"),
        (["datasets", "check", str(catalogue)], 0, ""),
    ):
        command = [sys.executable, "-m", "hnl.cli", *arguments]
        environment = os.environ | {"PYTHONPATH": str(folder / "lib")}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr[: len(words)]) == (status, words), done.stderr


def test_rooms_are_not_packages_of_their_own(tmp_path: Path) -> None:
    code = f"from importlib.util import find_spec; print([r for r in {ROOMS} if find_spec(r)])"
    seen = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert seen.stdout.strip() == "[]"
    assert not [room for room in ROOMS if (ROOT / room / "__init__.py").exists()]


ORDER = (
    "physics", "datasets", "selections", "corrections", "processors", "ml", "histograms", "inference", "report",
    "plots", "condor", "analyses",
)  # fmt: skip
# What rooms may have from src/hnl: how errors are told, products named, written and hashed, tables laid out.
SHARED = {
    f"hnl.{name}" for name in ("errors", "layout", "provenance", "records", "dependencies", "terminal", "analysis")
}
WIRING = {"hnl.stages", "hnl.stages.displaced"}  # what `analyses` may have besides


def imports(*, annotations: bool) -> dict[str, set[str]]:
    """Modules of this package that each one imports, with or without those under TYPE_CHECKING."""
    found = {}
    for module in dependencies.modules():
        text = dependencies.source(module)
        text = text.replace("if TYPE_CHECKING:", "if True:") if annotations else text
        found[module] = set(dependencies.imported(text)[0])
    return found


def test_rooms_import_only_rooms_above_them() -> None:
    """Also for annotations; and of src/hnl what all share, alone."""
    assert sorted(ORDER) == ROOMS
    wrong = []
    for module, used in imports(annotations=True).items():
        room = module.split(".")[1] if "." in module else ""
        if room in ORDER:
            allowed = ORDER[: ORDER.index(room) + 1]
            shared = {*SHARED, "hnl", *(WIRING if room == "analyses" else ())}
            wrong += [f"{module} imports {m}" for m in used if m not in shared and m.split(".")[1] not in allowed]
    assert wrong == []


def test_stages_import_no_stages_and_nothing_imports_the_command_line() -> None:
    of = imports(annotations=True)
    names = {f"hnl.stages.{stage.module or stage.name}" for stage in (*STAGES, *stages.STANDARD)}
    assert names < set(of)
    # The command line knows the types of their results; it runs them by name.
    typed = {module for module, used in of.items() if used & names}
    assert {module for module in typed if not module.startswith("hnl.cli.")} == set()
    assert {module for module, used in imports(annotations=False).items() if used & names} == set()
    command_line = {module for module in of if module.startswith("hnl.cli")}
    assert {module for module, used in of.items() if used & command_line} <= command_line
    others = {"hnl.stages.run", "hnl.stages.displaced", "hnl.stages.fitted", "hnl.stages.drawing"}
    assert {module for module in of if module.startswith("hnl.stages.")} == names | others


def test_no_module_imports_itself_by_a_circle() -> None:
    """Leaves are taken away until nothing is left. `executors` imports `clusters` when it is asked for one, and
    `hnl.open` what it opens."""
    left = imports(annotations=False)
    left["hnl"] -= {"hnl.output"}
    left["hnl.executors"] -= {"hnl.clusters"}
    while leaves := [module for module, used in left.items() if not used & set(left) - {module}]:
        for module in leaves:
            del left[module]
    assert left == {}
