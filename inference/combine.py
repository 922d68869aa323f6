"""The model as a card of CMS Combine.

One Combine bin for each region of a cell and bin of a template, each a counting experiment, so a card without shapes is
exact: histograms in a file would add the same numbers once more. Correlations between bins are by the names of the
nuisance parameters. Background rates of cells are `rateParam`, that of A the formula of the other three; c_AB is the
`rate` that it multiplies. A free normalisation is one `rateParam` in all bins that have the process.

The card has been read and evaluated by an independent program (tests/support/card.py) that follows Combine's
documentation. It was not run in Combine.
"""

from collections.abc import Mapping, Sequence

from hnl.errors import InputError
from hnl.inference import channels
from hnl.inference.channels import Count, ExportedProcess
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
    counts = channels.counts(model)
    columns = [(count, *column) for count in counts for column in _columns(count)]
    processes = list(dict.fromkeys(process for _, process, _, _ in columns if process != SIGNAL))
    order = {process: str(i) for i, process in enumerate([SIGNAL, *processes])}
    names = sorted({name for *_, factors in columns for name in factors})
    lines = [
        ["imax", str(len(counts))],
        ["jmax", str(len(processes))],
        ["kmax", str(len(names))],
        [RULE],
        ["bin", *(count.name for count in counts)],
        ["observation", *(repr(count.observed) for count in counts)],
        [RULE],
        ["bin", *(count.name for count, *_ in columns)],
        ["process", *(process for _, process, _, _ in columns)],
        ["process", *(order[process] for _, process, _, _ in columns)],
        ["rate", *(repr(rate) for _, _, rate, _ in columns)],
        [RULE],
    ]
    for name in names:
        lines.append([name, "lnN", *(repr(factors[name]) if name in factors else "-" for *_, factors in columns)])
    for cell in model.cells:
        for region, value in zip("BCD", cell.sidebands, strict=True):
            least = LEAST_D if region == "D" else 0
            window = f"[{least:g},{10 * max(value, 10.0):g}]"
            target = [f"{cell.name}_{region}", BACKGROUND]
            lines.append([f"n{region}_{cell.name}", "rateParam", *target, repr(value), window])
        arguments = ",".join(f"n{region}_{cell.name}" for region in "BCD")
        lines.append([f"nA_{cell.name}", "rateParam", f"{cell.name}_A", BACKGROUND, FORMULA, arguments])
    windows = {process: f"[0,{channels.largest_normalisation(model, process):g}]" for process in model.free}
    for count in counts:
        for process, part in count.backgrounds.items():
            if part.free:
                name = channels.free_name(process)
                lines.append([name, "rateParam", count.name, process, "1.0", windows[process]])
    return "\n".join(" ".join(line) for line in lines) + "\n"


def _columns(count: Count) -> list[tuple[str, float, Mapping[str, float]]]:
    """Process, rate and log-normal factors: the signal, then the backgrounds."""
    rows: list[tuple[str, float, Mapping[str, float]]] = [(SIGNAL, count.signal, count.signal_factors)]
    for process, part in count.backgrounds.items():
        name = BACKGROUND if channels.region_of(count.name) else process
        rows.append((name, part.scale, part.factors))
    return rows


def read(card: str) -> Model:
    """The model of a card that `export` made; it is the same again.

    Raises:
        CardError: a line is missing, or is not of such a card.
        ModelError: what it says is refused, see `inference.model_errors`.
    """
    bins: list[list[str]] = []
    table: dict[str, list[list[str]]] = {}
    factors: dict[str, list[str]] = {}
    rates: dict[tuple[str, str], list[str]] = {}
    for line in card.splitlines():
        words = line.split("#")[0].split()
        if not words or words[0].startswith("--") or words[0] in ("imax", "jmax", "kmax"):
            continue
        if words[0] == "bin":
            bins.append(words[1:])
        elif words[0] in ("observation", "process", "rate"):
            table.setdefault(words[0], []).append(words[1:])
        elif words[1:2] == ["lnN"]:
            if words[0] in factors:
                raise CardError(f"nuisance parameter {words[0]} is there twice")
            factors[words[0]] = words[2:]
        elif words[1:2] == ["rateParam"] and len(words) > 4:
            rates[words[2], words[3]] = [words[0], *words[4:]]
        else:
            raise CardError(f"not a line of our cards: {line!r}")
    if len(bins) != 2 or {name: len(rows) for name, rows in table.items()} != ROWS:
        raise CardError("a card needs bin and observation, then bin, process, process and rate, once each")
    names, columns = bins
    n = len(columns)
    lengths = [len(row) for row in (*table["process"], *table["rate"], *factors.values())]
    if len(table["observation"][0]) != len(names) or any(length != n for length in lengths):
        raise CardError(f"rows do not match {len(names)} bins and {n} columns")
    found, first = [], 0
    for name, data in zip(names, table["observation"][0], strict=True):
        last = first + columns[first:].count(name)
        processes = table["process"][0][first:last]
        if set(columns[first:last]) != {name} or processes[:1] != [SIGNAL] or len(set(processes)) != len(processes):
            raise CardError(f"bin {name}: columns are in the order of the bins, {SIGNAL} first, a process once")
        is_cell = channels.region_of(name) is not None
        if is_cell and processes[1:] != [BACKGROUND]:
            raise CardError(f"bin {name}: a cell needs the columns {SIGNAL} and {BACKGROUND}")
        numbers = [channels.number(word, name) for word in (data, *table["rate"][0][first:last])]
        kappas = [_factors(factors, column) for column in range(first, last)]
        backgrounds = {}
        for process, rate, of in zip(processes[1:], numbers[2:], kappas[1:], strict=True):
            free = _check_rate(name, process, rates.pop((name, process), []))
            backgrounds[process] = ExportedProcess(rate, of, free)
        if is_cell:
            backgrounds = {channels.BACKGROUND: backgrounds[BACKGROUND]}
        found.append(Count(name, numbers[0], numbers[1], kappas[0], backgrounds))
        first = last
    if first != n:
        raise CardError(f"columns of bins without observation: {', '.join(columns[first:])}")
    if rates:
        raise CardError(f"rateParam of what is in no column: {', '.join(map('/'.join, rates))}")
    return channels.model(found)


def _factors(rows: Mapping[str, Sequence[str]], column: int) -> dict[str, float]:
    """The log-normal factors of one column."""
    return {name: channels.number(row[column], name) for name, row in rows.items() if row[column] != "-"}


def _check_rate(name: str, process: str, words: Sequence[str]) -> bool:
    """Whether the normalisation of a process of a template is free.

    The rate of the background of cells must be free, or the formula in A.
    """
    place = channels.region_of(name)
    if place is None:
        if words and list(words[:2]) != [channels.free_name(process), "1.0"]:
            raise CardError(f"bin {name}: rateParam of {process} is {' '.join(words)}, not a free normalisation")
        return bool(words)
    cell, region = place
    if region == "A":
        good = list(words) == [f"nA_{cell}", FORMULA, ",".join(f"n{r}_{cell}" for r in "BCD")]
    else:
        good = list(words[:1]) == [f"n{region}_{cell}"]
    if not good:
        raise CardError(f"bin {name}: not an ABCD model: rateParam of the background is {' '.join(words) or 'missing'}")
    return False
