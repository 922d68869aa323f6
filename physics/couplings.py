"""Ratios of couplings |V_e|^2 : |V_mu|^2 : |V_tau|^2, and their names."""

from fractions import Fraction
from math import gcd, lcm

from hnl.errors import InputError

SHARES = {"e": (1, 0, 0), "mu": (0, 1, 0), "mixed": (1, 1, 0), "tau": (0, 0, 1)}
"""|V_e|^2, |V_mu|^2, |V_tau|^2 of the ratios that have a name: the scenarios of the paper (section 3), and tau."""

LARGEST = 10**12
"""Whole number in a ratio: others are no ratio that anybody means."""


class CouplingError(InputError):
    """No ratio of couplings."""


def named(text: str) -> str:
    """The name of a ratio: one of `SHARES`, or the smallest whole numbers.

    >>> named("2:4:0"), named("0:1:0.5"), named("3:3:0"), named("mu"), named("0:0:2")
    ('1:2:0', '0:2:1', 'mixed', 'mu', 'tau')

    Args:
        text: one of `SHARES`, or three numbers with colons between them.

    Raises:
        CouplingError: it is neither, a number is negative, or all are zero.
    """
    if text in SHARES:
        return text
    numbers = _numbers(text)
    scale = lcm(*(number.denominator for number in numbers))
    whole = [int(number * scale) for number in numbers]
    whole = [number // gcd(*whole) for number in whole]
    if max(whole) > LARGEST:
        raise CouplingError(f"the coupling {text!r} has numbers that are too far apart")
    ratio = (whole[0], whole[1], whole[2])
    return next((name for name, known in SHARES.items() if known == ratio), ":".join(map(str, ratio)))


def shares(text: str) -> tuple[int, int, int]:
    """|V_e|^2, |V_mu|^2 and |V_tau|^2 up to a common factor, in the smallest whole numbers.

    Raises:
        CouplingError: see `named`.
    """
    name = named(text)
    if name in SHARES:
        return SHARES[name]
    e, mu, tau = map(int, name.split(":"))
    return e, mu, tau


def channel(text: str) -> str:
    """Which leptons N can make that are e or mu: 'mixed' for both, 'e' or 'mu' for one, 'tau' for none but by taus.

    Raises:
        CouplingError: see `named`.
    """
    e, mu, _ = shares(text)
    return "mixed" if e and mu else "e" if e else "mu" if mu else "tau"


def _numbers(text: str) -> list[Fraction]:
    wanted = f"no coupling {text!r}: it is one of {', '.join(SHARES)}, or |V_e|^2:|V_mu|^2:|V_tau|^2, such as 1:2:0"
    try:
        numbers = [Fraction(part) for part in text.split(":")]
    except (ValueError, ZeroDivisionError):  # NaN and infinity as well
        raise CouplingError(wanted) from None
    if len(numbers) != 3:
        raise CouplingError(wanted)
    if min(numbers) < 0:
        raise CouplingError(f"the coupling {text!r} has a negative |V|^2")
    if max(numbers) == 0:
        raise CouplingError(f"the coupling {text!r} has no |V|^2 above zero")
    return numbers
