"""The two mass hypotheses: classifiers are trained, and points searched, with m_N up to 5 GeV and above (section 5)."""

LOW, HIGH = "low", "high"
HYPOTHESES = (LOW, HIGH)
HIGHEST_LOW_MASS = 5.0  # GeV; section 5: 'for m_N up to and above 5 GeV'
MASSES = {LOW: f"m_N <= {HIGHEST_LOW_MASS:g} GeV", HIGH: f"m_N > {HIGHEST_LOW_MASS:g} GeV"}  # in words


def hypothesis(mass: float) -> str:
    """The hypothesis, of `HYPOTHESES`, that a signal of mass m_N (GeV) trains and is searched with."""
    return LOW if mass <= HIGHEST_LOW_MASS else HIGH
