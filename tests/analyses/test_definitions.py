"""What a stage of a user's search depends on: the definitions that an argument uses, and no others."""

import pytest

from hnl import dependencies

TEXT = '''
"""A search."""
import math
from functools import partial
import numpy as np

WIDTH = 2.0  # GeV
EDGES = (0, WIDTH, 10)
low, high = EDGES[0], EDGES[-1]
OTHER = 5

def helper(x):
    return math.sqrt(x) * OTHER

class Processor:
    def select(self, unit):
        return helper(unit) > low

def models(run):
    """All of them."""
    return {"m": np.histogram([WIDTH], EDGES)}

SEARCH = make(
    processor=Processor,
    models=partial(models, 1),
    title="a" + "b",
)
'''
EXPECTED = {
    ("processor",): ["import math", "WIDTH = 2.0", "EDGES", "low, high", "OTHER", "def helper", "class Processor"],
    ("models",): ["from functools", "import numpy", "WIDTH = 2.0", "EDGES", "def models"],
    ("title",): [],
    ("title", "processor"): ["import math", "WIDTH = 2.0", "EDGES", "low, high", "OTHER", "def helper", "class Proc"],
}


@pytest.mark.parametrize("keywords", EXPECTED)
def test_what_is_followed(keywords: tuple[str, ...]) -> None:
    found = dependencies.definitions(TEXT, "SEARCH", keywords).splitlines()
    beginnings = [line for line in found if line and not line.startswith(" ")]
    expected = [
        *EXPECTED[keywords],
        *{"processor": ["Processor"], "models": ["partial(models, 1)"]}.get(keywords[-1], []),
    ]
    expected += ["'a' + 'b'"] if keywords == ("title",) else []
    if len(keywords) > 1:
        expected = [*EXPECTED[keywords], "Processor", "'a' + 'b'"]
    assert len(beginnings) == len(expected)
    assert all(line.startswith(start) for line, start in zip(beginnings, expected, strict=True))


def test_comments_and_the_order_of_others_do_not_count() -> None:
    changed = TEXT.replace("# GeV", "# in GeV").replace("OTHER = 5\n", "OTHER = 5\nUNUSED = 6\n")
    for keywords in EXPECTED:
        assert dependencies.definitions(changed, "SEARCH", keywords) == dependencies.definitions(
            TEXT, "SEARCH", keywords
        )
    changed = TEXT.replace("OTHER = 5", "OTHER = 6")
    differ = {
        keywords
        for keywords in EXPECTED
        if dependencies.definitions(changed, "SEARCH", keywords) != dependencies.definitions(TEXT, "SEARCH", keywords)
    }
    assert differ == {("processor",), ("title", "processor")}


def test_what_acts_when_the_module_is_loaded_counts_for_all() -> None:
    """A statement that defines nothing may change whatever is there, with all that it uses."""
    text = TEXT + "\nnp.seterr(all='raise')\n"
    assert "np.seterr(all='raise')" in dependencies.definitions(text, "SEARCH", ("title",))
    assert "import numpy as np" in dependencies.definitions(text, "SEARCH", ("title",))


@pytest.mark.parametrize(
    "call", ["SEARCH = make(**options)", "SEARCH = make(1, 2)", "SEARCH = other", "NO = make(a=1)"]
)
def test_without_such_a_call_all_of_it_counts(call: str) -> None:
    text = TEXT[: TEXT.index("SEARCH")] + call
    assert dependencies.definitions(text, "SEARCH", ("processor",)) == text
