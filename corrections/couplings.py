"""Scenarios of couplings: 'e', 'mu', 'mixed', and any ratio |V_e|^2 : |V_mu|^2 : |V_tau|^2, such as 1:2:0.

What a ratio changes, for the decays W -> l1 N, N -> l2 q q' (section 3 of the paper). At tree level, with widths per
unit of |V_l|^2, Gamma_l in total and Gamma_l2qq into l2 q q':

- N is made with sigma(W -> l1 N), proportional to |V_l1|^2;
- it decays with BR(N -> l2 q q') = |V_l2|^2 Gamma_l2qq / Gamma_N;
- it lives for c tau = hbar c / Gamma_N, with Gamma_N = sum over l = e, mu, tau of |V_l|^2 Gamma_l.

So the rate of a channel is proportional to |V_l1 V_l2|^2 / Gamma_N, and channels do not mix: a sample that was
generated with both l1 and l2 serves any ratio in which both couple, after this factor and the change of the lifetime
(Eq. 2). As in section 8, limits are those of the channels that a scenario is about: ee if N couples to e but not to mu,
mumu if to mu but not to e, and emu with mue if to both, from samples of both couplings. Then the rate follows from the
ratio exactly, and 1:0:0, 0:1:0 and 1:1:0 are 'e', 'mu' and 'mixed' themselves.

|V_tau|^2 shortens the lifetime and takes a share of the branching fractions. The leptons of a channel can also come
from taus of W -> tau N and N -> tau q q'. Their rate goes with other products of couplings, so that samples with taus
serve only the ratio that they were generated with, and are preferred there. Without them this signal is missing: then
limits are too weak rather than too strong. N that couples to tau alone has no limits, as no category is about it.

Not exact: candidates of emu and mue whose l2 is of the decay of a hadron, after N -> l1 q q', count as those of the
channel. They are few.
"""

from dataclasses import dataclass
from functools import cache

from hnl.physics import couplings as ratios
from hnl.physics.couplings import CouplingError

COUPLINGS = ("e", "mu", "mixed")  # scenarios of the paper
_SYMBOLS = {"e": r"|V_{eN}|^2", "mu": r"|V_{\mu N}|^2"}
_SYMBOLS["mixed"] = r"|V_{eN} V_{\mu N}|^2 / (|V_{eN}|^2 + |V_{\mu N}|^2)"


def named(text: str) -> str:
    """The name of a scenario: one of the paper's, or a ratio in the smallest whole numbers.

    >>> named("2:4:0"), named("0:1:0.5"), named("3:3:0"), named("mu")
    ('1:2:0', '0:2:1', 'mixed', 'mu')

    Args:
        text: one of `COUPLINGS`, or three numbers with colons between them.

    Raises:
        CouplingError: see `physics.couplings.named`, or there is no coupling to e and mu.
    """
    name = ratios.named(text)
    if name == "tau":
        raise CouplingError(
            f"the coupling {text!r} has neither |V_e|^2 nor |V_mu|^2: no category is about tau alone (section 8), "
            "so it has no limits"
        )
    return name


@dataclass(frozen=True)
class Scenario:
    """A scenario of couplings by its name, see `named`.

    Attributes:
        name: as it is in products.
        shares: |V_e|^2, |V_mu|^2 and |V_tau|^2, up to a common factor.
    """

    name: str
    shares: tuple[int, int, int]

    @property
    def channel(self) -> str:
        """Which of `COUPLINGS` has the samples and categories: 'mixed' if N couples to both e and mu."""
        return ratios.channel(self.name)

    @property
    def file_name(self) -> str:
        """For names of files."""
        return self.name.replace(":", "-")

    @property
    def symbol(self) -> str:
        """The |V|^2 that is scanned (`lifetime.Point.v2`), in mathtext."""
        if self.name in _SYMBOLS:
            return _SYMBOLS[self.name]
        product = {"e": r"|V_{eN}|^4", "mu": r"|V_{\mu N}|^4", "mixed": r"|V_{eN} V_{\mu N}|^2"}[self.channel]
        return rf"{product} / \Sigma |V_{{\ell N}}|^2\ (e:\mu:\tau = {self.name})"

    @property
    def remark(self) -> str:
        """What products say of a ratio; '' of the scenarios of the paper."""
        if self.name in COUPLINGS:
            return ""
        product = {"e": "|V_e|^4", "mu": "|V_mu|^4", "mixed": "|V_e V_mu|^2"}[self.channel]
        total = "|V_e|^2 + |V_mu|^2 + |V_tau|^2"
        sentence = f"The coupling {self.name} is |V_e|^2:|V_mu|^2:|V_tau|^2; |V|^2 is {product} / ({total})"
        taus = "; W -> tau N and N -> tau q q' count only if the samples are of this ratio"
        return sentence + (taus if self.shares[2] else "")


@cache
def scenario(text: str) -> Scenario:
    """The scenario of a text, see `named`.

    Raises:
        CouplingError: see `named`.
    """
    name = named(text)
    return Scenario(name, ratios.shares(name))
