"""Fixtures of the whole suite."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples every time, and no clock: a slow machine is not a failure.
settings.register_profile("hnl", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("hnl")

REAL_NANOAOD = Path(__file__).parents[1] / ".." / "shared" / "data" / "nanoaod"

TESTS = Path(__file__).parent

# What takes longer than a few seconds: `make test-quick` leaves it out. Everything else is quick, new files too.
SLOW = (
    "analyses/test_examples.py",
    "condor",
    "corrections/test_lifetime.py",
    "datasets/simulation",
    "datasets/test_baskets.py",
    "datasets/test_demo.py",
    "datasets/test_templates.py",
    "datasets/test_vertex_index.py",
    "faults",
    "inference/displaced/test_signals.py",
    "inference/test_asymptotics.py",
    "inference/test_likelihood.py",
    "inference/test_minimizer.py",
    "inference/test_template_fits.py",
    "inference/test_toys.py",
    "inference/test_validation.py",
    "ml/test_learning.py",
    "ml/test_training.py",
    "processors",
    "stages",
    "test_cli.py",
    "test_cli_completion.py",
    "test_cli_errors.py",
    "test_cli_generated_points.py",
    "test_cli_inference.py",
    "test_cli_json.py",
    "test_cli_simulate.py",
    "test_dependencies.py",
    "test_documentation.py",
    "test_executors.py",
    "test_packaging.py",
    "test_state.py",
    "test_terminal.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-images", action="store_true", help="accept the figures as they are drawn now")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if missing := [name for name in SLOW if not (TESTS / name).exists()]:
        raise pytest.UsageError(f"{Path(__file__).name} calls tests slow that are not there: {', '.join(missing)}")
    for item in items:
        if any(item.path.is_relative_to(TESTS / name) for name in SLOW):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def real_nanoaod() -> Path:
    """Folder of small real CMS files; skips where it is absent."""
    folder = Path(os.environ.get("HNL_REAL_NANOAOD") or REAL_NANOAOD).resolve()
    if not any(folder.glob("*.root")):
        pytest.skip(f"no real NanoAOD files in {folder}; name their folder in HNL_REAL_NANOAOD")
    return folder


@pytest.fixture
def hnl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Calls a command of `hnl` in this process: (exit status, stdout, stderr)."""
    from command import runner

    return runner(monkeypatch, capsys)


@pytest.fixture
def no_figures() -> Iterator[None]:
    """For tests in which no figure is looked at: stages draw none."""
    from without_figures import without_figures  # with all of hnl, which most tests need not import

    with without_figures():
        yield


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `finished_run`, made once; to be copied by who writes into it."""
    import finished_run

    return finished_run.write(tmp_path_factory.mktemp("finished"), finished_run.entries())
