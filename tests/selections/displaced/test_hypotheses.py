"""Which mass hypothesis a signal belongs to (section 5)."""

from hnl.selections.displaced.hypotheses import hypothesis


def test_five_gev_is_low() -> None:
    assert [hypothesis(mass) for mass in (1.0, 5.0, 5.000001, 5.5, 15.0)] == ["low", "low", "high", "high", "high"]
