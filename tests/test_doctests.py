"""The examples in docstrings are true: of every module that has one."""

import doctest
import importlib

import pytest

from hnl import dependencies

WITH_EXAMPLES = [name for name in dependencies.modules() if ">>> " in dependencies.source(name)]


def test_modules_with_examples_are_seen() -> None:
    """Those that a reader meets first have some."""
    assert {"hnl.physics.widths", "hnl.physics.production", "hnl.selections.displaced.regions"} <= set(WITH_EXAMPLES)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), raise_on_error=False)
    assert found.attempted > 0
    assert found.failed == 0, f"{found.failed} of {found.attempted} examples: see above"
