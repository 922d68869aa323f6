"""The model as a card of CMS Combine.

One Combine bin a cell and region, each a counting experiment, so a card without shapes is exact: histograms in a file
would add the same numbers once more. Correlations between bins are by the names of the nuisance parameters. Background
rates are `rateParam`, that of A the formula of the other three; c_AB is the `rate` that it multiplies.

The card has been read and evaluated by an independent program (tests/support/card.py) that follows Combine's
documentation. It was not run in Combine.
"""

from collections.abc import Mapping, Sequence

from hnl.errors import InputError
from hnl.inference import channels
from hnl.inference.channels import Channel
from hnl.inference.model import Model

RULE = "-" * 80
SIGNAL, BACKGROUND = "sig", "bkg"
FORMULA = "(@0*@1/@2)"
ROWS = {"observation": 1, "process": 2, "rate": 1}
LEAST_D = 1e-3  # B C / D has to stay finite


class CardError(InputError):
    """A card cannot be read, or says something that our models do not have; the message names the line."""


def export(model: Model) -> str:
    """The card.

    Raises:
        HiddenDataError: the data are blinded; export `model.asimov()` in that case.
    """
    found = channels.channels(model)
    names = sorted({name for channel in found for name in (*channel.signal_factors, *channel.background_factors)})
    lines = [
        ["imax", str(len(found))],
        ["jmax", "1"],
        ["kmax", str(len(names))],
        [RULE],
        ["bin", *(channel.name for channel in found)],
        ["observation", *(repr(channel.observed) for channel in found)],
        [RULE],
        ["bin", *(channel.name for channel in found for _ in range(2))],
        ["process", *([SIGNAL, BACKGROUND] * len(found))],
        ["process", *(["0", "1"] * len(found))],
        ["rate", *(repr(value) for channel in found for value in (channel.signal, channel.scale))],
        [RULE],
    ]
    columns = [f for channel in found for f in (channel.signal_factors, channel.background_factors)]
    for name in names:
        lines.append([name, "lnN", *(repr(factors[name]) if name in factors else "-" for factors in columns)])
    for cell in model.cells:
        for region, value in zip("BCD", cell.sidebands, strict=True):
            least = LEAST_D if region == "D" else 0
            window = f"[{least:g},{10 * max(value, 10.0):g}]"
            target = [f"{cell.name}_{region}", BACKGROUND]
            lines.append([f"n{region}_{cell.name}", "rateParam", *target, repr(value), window])
        arguments = ",".join(f"n{region}_{cell.name}" for region in "BCD")
        lines.append([f"nA_{cell.name}", "rateParam", f"{cell.name}_A", BACKGROUND, FORMULA, arguments])
    return "\n".join(" ".join(line) for line in lines) + "\n"


def read(card: str) -> Model:
    """The model of a card that `export` made; it is the same again.

    Raises:
        CardError: a line is missing, or is not of such a card.
        ModelError: what it says is refused, see `inference.model`.
    """
    bins: list[list[str]] = []
    table: dict[str, list[list[str]]] = {}
    factors: dict[str, list[str]] = {}
    rates: dict[str, list[str]] = {}
    for line in card.splitlines():
        words = line.split("#")[0].split()
        if not words or words[0].startswith("--") or words[0] in ("imax", "jmax", "kmax"):
            continue
        if words[0] == "bin":
            bins.append(words[1:])
        elif words[0] in ("observation", "process", "rate"):
            table.setdefault(words[0], []).append(words[1:])
        elif words[1:2] == ["lnN"]:
            factors[words[0]] = words[2:]
        elif words[1:2] == ["rateParam"] and len(words) > 4 and words[3] == BACKGROUND:
            rates[words[2]] = [words[0], *words[4:]]
        else:
            raise CardError(f"not a line of our cards: {line!r}")
    if len(bins) != 2 or {name: len(rows) for name, rows in table.items()} != ROWS:
        raise CardError("a card needs bin and observation, then bin, process, process and rate, once each")
    names, columns = bins
    n = len(columns)
    lengths = [len(row) for row in (*table["process"], *table["rate"], *factors.values())]
    if len(table["observation"][0]) != len(names) or any(length != n for length in lengths):
        raise CardError(f"rows do not match {len(names)} bins and {n} columns")
    pairs = [(name, process) for name in names for process in (SIGNAL, BACKGROUND)]
    if list(zip(columns, table["process"][0], strict=True)) != pairs:
        raise CardError(f"each bin needs the columns {SIGNAL} and {BACKGROUND}, in the order of the bins")
    found = []
    for i, name in enumerate(names):
        cell, _, _, region = channels.split(name)
        _check_rate(name, cell, region, rates.get(name, []))
        signal, background = (_factors(factors, column) for column in (2 * i, 2 * i + 1))
        three = (table["observation"][0][i], *table["rate"][0][2 * i : 2 * i + 2])
        observed, rate, scale = (channels.number(word, name) for word in three)
        found.append(Channel(cell, region, observed, rate, scale, signal, background))
    return channels.model(found)


def _factors(rows: Mapping[str, Sequence[str]], column: int) -> dict[str, float]:
    """The log-normal factors of one column."""
    return {name: channels.number(row[column], name) for name, row in rows.items() if row[column] != "-"}


def _check_rate(name: str, cell: str, region: str, words: Sequence[str]) -> None:
    """The rate of the background must be free, or the formula in A."""
    if region == "A":
        good = list(words) == [f"nA_{cell}", FORMULA, ",".join(f"n{r}_{cell}" for r in "BCD")]
    else:
        good = list(words[:1]) == [f"n{region}_{cell}"]
    if not good:
        raise CardError(f"bin {name}: not an ABCD model: rateParam of the background is {' '.join(words) or 'missing'}")
