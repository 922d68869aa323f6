"""The two mass hypotheses: classifiers are trained, and points searched, with m_N up to 5 GeV and above (section 5)."""

from pydantic import Field

from hnl.datasets.model import Real, Settings

LOW, HIGH = "low", "high"
HYPOTHESES = (LOW, HIGH)


class MassSettings(Settings):
    """Which masses a hypothesis is for."""

    highest_low: Real = Field(
        default=5.0,
        gt=0,
        description="GeV, highest m_N of the low-mass hypothesis (section 5: 'up to and above 5 GeV')",
    )

    def in_words(self, hypothesis: str) -> str:
        """The masses of a hypothesis."""
        return f"m_N {'<=' if hypothesis == LOW else '>'} {self.highest_low:g} GeV"


PAPER = MassSettings()


def hypothesis(mass: float, masses: MassSettings = PAPER) -> str:
    """The hypothesis, of `HYPOTHESES`, that a signal of mass m_N (GeV) trains and is searched with."""
    return LOW if mass <= masses.highest_low else HIGH
