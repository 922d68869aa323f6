"""What is said beside exported models: the limit that is quoted, and the commands that find it in other programs."""

from collections.abc import Sequence

from hnl.inference.methods import ASYMPTOTIC, HYBRID, LHC, TOLD
from hnl.inference.results import StrengthLimit

COMBINE = {LHC: "combine -M HybridNew --LHCmode LHC-limits", ASYMPTOTIC: "combine -M AsymptoticLimits"}
PYHF = {LHC: "pyhf cls --calctype toybased", ASYMPTOTIC: "pyhf cls"}
README = """# Limits on mu of these models

NAME_combine.txt is a card of CMS Combine, NAME_pyhf.json a workspace of pyhf (HistFactory); those named _expected hold
Asimov data in place of blinded ones. The commands find the limit on mu again; pyhf finds CLs at it, 0.05. Cards
were not run in Combine. Bands of limits by lhc are those of hybrid toys, moved with the median: other programs have
their own.

| model | method | limit on mu | in Combine | in pyhf |
|---|---|---|---|---|
"""


def quoted(limit: StrengthLimit) -> str:
    """The limit that is quoted, in words."""
    observed = limit.observed is not None
    value = limit.observed if observed else limit.expected[2]
    error = f" +- {100 * limit.error:.1f} %" if limit.error else ""
    return f"{value:.4g}{error}, {'observed' if observed else 'median expected'}"


def commands(limit: StrengthLimit) -> tuple[str, str]:
    """The commands of Combine and pyhf; words where there are none."""
    if limit.method == HYBRID:
        return "not in Combine", "not in pyhf"
    value = limit.expected[2] if limit.observed is None else limit.observed
    median = " --expectedFromGrid=0.5" if limit.observed is None and limit.method == LHC else ""
    return (
        f"{COMBINE[limit.method]} {limit.model}_combine.txt{median}",
        f"{PYHF[limit.method]} --test-poi {value:.4g} {limit.model}_pyhf.json",
    )


def comments(limit: StrengthLimit) -> str:
    """Lines at the head of a card."""
    said = f"limit on mu at 95 % CLs: {quoted(limit)}, by {limit.method}: {TOLD[limit.method]}"
    return "".join(f"# {line}\n" for line in (said, *commands(limit)))


def readme(limits: Sequence[StrengthLimit]) -> str:
    """All models of a folder."""
    rows = [(one.model, one.method, quoted(one), *(f"`{command}`" for command in commands(one))) for one in limits]
    return README + "".join(f"| {' | '.join(row)} |\n" for row in rows)
