"""Names of ratios of couplings."""

import pytest

from hnl.physics import couplings


@pytest.mark.parametrize(
    ("text", "name", "shares"),
    [("tau", "tau", (0, 0, 1)), ("0:0:3", "tau", (0, 0, 1)), ("2:2:2", "1:1:1", (1, 1, 1)), ("0:3:0", "mu", (0, 1, 0))],
)
def test_names(text: str, name: str, shares: tuple[int, int, int]) -> None:
    assert couplings.named(text) == name
    assert couplings.shares(text) == shares


@pytest.mark.parametrize(("text", "message"), [("0:0:0", "no .* above zero"), ("nu", "one of e, mu, mixed, tau")])
def test_what_is_no_ratio(text: str, message: str) -> None:
    with pytest.raises(couplings.CouplingError, match=message):
        couplings.shares(text)
