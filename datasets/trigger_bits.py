"""Which bits of TrigObj_filterBits say that an object fired an isolated single-lepton path.

They are not the same in all files. NanoAOD says in the title of the branch what it wrote; this is read, and only where
there is no such title (this project's samples, files of other tools) a table by year stands in.

What the names mean is in CMSSW, PhysicsTools/NanoAOD/python/triggerObjects_cff.py:
- '1e (WPTight)' is a filter hltEle*WPTight*TrackIsoFilter*: HLT_Ele27_WPTight_Gsf and its like, in every menu.
- 'Iso' from 2017 on is any hltL3crIso* filter, of paths with a muon and something else as well; '1mu' adds that it was
  seeded by single muons: HLT_IsoMu24 and its like. Both are asked for.
- 'Iso' in 2016 is hltL3cr*IsoFiltered0p09, the last filter of HLT_IsoMu*, and 'IsoTkMu' is hltL3f*IsoFiltered0p09, that
  of HLT_IsoTkMu*. They sit on different objects, so either will do. There is no '1mu': the muon of HLT_IsoMu19 with a
  tau has 'Iso' as well. That a single-muon path fired is asked of the event.
"""

import re
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from hnl.datasets.nanoaod import UnknownLayoutError

BRANCH = "TrigObj_filterBits"

# Alternatives, each of which needs all of its names.
_Names = tuple[tuple[str, ...], ...]
_ELECTRON: _Names = (("1e (WPTight)",),)
_MUON: _Names = (("Iso", "1mu"),)
_MUON_2016: _Names = (("Iso",), ("IsoTkMu",))
_UNTITLED = {"1e (WPTight)": 2, "Iso": 2, "1mu": 8, "IsoTkMu": 8}  # as in all titles known, v6 to v15

_SECTION = re.compile(r"(.*)\bfor (Electron|Muon)\s*(\([^()]*\))?\s*")  # e.g. 'for Electron (PixelMatched e/gamma)'
_BIT = re.compile(r"(?:^|[,:])\s*(\d+)\s*(=>?)\s*([^,]*)")  # '8 = 1mu' is a value, '3 => 1mu' (v11 on) a position


class Requirement(NamedTuple):
    """What an object of one flavour must have: all bits of any of the masks."""

    masks: tuple[int, ...]
    words: str


class TriggerBits(NamedTuple):
    """The meaning of TrigObj_filterBits in one file."""

    electron: Requirement
    muon: Requirement
    source: str  # 'the title of the branch', or 'a table for 2018'


def meaning(title: str, year: int) -> TriggerBits:
    """Reads the title of TrigObj_filterBits.

    Args:
        title: of the branch; one that lists no bits is none.
        year: of data taking, which decides where there is no title.

    Raises:
        UnknownLayoutError: the title lists bits, but not those of isolated single leptons; with that part of it.
    """
    if _BIT.search(title) is None:
        muon = _MUON_2016 if year <= 2016 else _MUON
        return TriggerBits(_required(_ELECTRON, _UNTITLED), _required(muon, _UNTITLED), f"a table for {year}")
    found = [match.groups() for part in title.split(";") if (match := _SECTION.fullmatch(part))]
    bits = {flavour: _bits(listed) for listed, flavour, _ in found}
    return TriggerBits(
        _first_known(bits.get("Electron", {}), "electrons", _ELECTRON),
        _first_known(bits.get("Muon", {}), "muons", _MUON, _MUON_2016),
        "the title of the branch",
    )


def read_bits(events: Any, year: int) -> TriggerBits:
    """The meaning in the file that events come from: known from its inspection, or, under coffea's `Runner`, from the
    title that NanoEvents keep.

    Raises:
        UnknownLayoutError: see `meaning`.
    """
    metadata = events.metadata
    if "file" in metadata:
        known: TriggerBits = metadata["file"]["trigger_bits"]
        return known
    title = events.TrigObj.filterBits.layout.purelist_parameter("__doc__") or ""
    try:
        return meaning(title, year)
    except UnknownLayoutError as error:
        raise UnknownLayoutError(f"{metadata.get('filename', 'events')}: {error}") from None


def from_json(values: Sequence[Any]) -> TriggerBits:
    """What JSON has made of a `TriggerBits`, a list of lists."""
    *requirements, source = values
    electron, muon = (Requirement(tuple(masks), words) for masks, words in requirements)
    return TriggerBits(electron, muon, source)


def _bits(listed: str) -> dict[str, int]:
    """Name -> mask. Values that are no single bit are a form that is not known."""
    found = {}
    for number, sign, name in _BIT.findall(listed):
        mask = 1 << int(number) if sign == "=>" else int(number)
        if mask.bit_count() != 1:
            raise UnknownLayoutError(f"{BRANCH}: {number} is not the value of one bit: {listed.strip()[:300]}")
        found[name.strip()] = mask
    return found


def _first_known(bits: dict[str, int], flavour: str, *choices: _Names) -> Requirement:
    for alternatives in choices:
        if all(name in bits for names in alternatives for name in names):
            return _required(alternatives, bits)
    wanted = " nor ".join(" and ".join(f"'{n}'" for names in one for n in names) for one in choices)
    raise UnknownLayoutError(f"{BRANCH}: no {wanted} for {flavour}; its title lists {', '.join(bits) or 'nothing'}")


def _required(alternatives: _Names, bits: dict[str, int]) -> Requirement:
    masks = tuple(reduce(or_, (bits[name] for name in names)) for names in alternatives)
    words = " or ".join(" with ".join(f"{bits[name]} ({name})" for name in names) for names in alternatives)
    return Requirement(masks, words)
