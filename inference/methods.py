"""The methods by which CLs is found. A curve is of one of them throughout.

`lhc` is the one to quote, everywhere: asymptotic formulas fail where events are few, which they are at some point of
nearly every scan, and a curve that changes its method has a step. `hybrid` is fast; it finds where edges are.
"""

from typing import Final, Literal

Method = Literal["lhc", "hybrid", "asymptotic"]
LHC: Final = "lhc"  # toys of q~_mu, thrown from fits: `inference.lhc`
HYBRID: Final = "hybrid"  # toys of A alone, with rates from Gamma distributions: `inference.toys`
ASYMPTOTIC: Final = "asymptotic"  # formulas: `inference.asymptotics`
MOVED: Final = "hybrid moved"  # bands beside a median by lhc: those of hybrid, times what the median moved by

TOLD = {
    LHC: "LHC-type toys of q~_mu; bands by hybrid toys, moved with the median",
    HYBRID: "hybrid toys (Gamma rates)",
    ASYMPTOTIC: "asymptotic formulas",
}
