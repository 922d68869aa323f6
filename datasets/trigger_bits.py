"""The bits of TrigObj_filterBits of objects that fired an isolated single-lepton path.

They are not the same in all files. NanoAOD lists them in the title of the branch, which is read here. A table by year
is used only for files without such a title (this project's samples, files of other tools).

CMSSW defines the names in PhysicsTools/NanoAOD/python/triggerObjects_cff.py:
- '1e (WPTight)' is a filter hltEle*WPTight*TrackIsoFilter*: HLT_Ele27_WPTight_Gsf and its like, in every menu.
- 'Iso' from 2017 on is any hltL3crIso* filter, also of paths with a muon and another object; '1mu' adds that it was
  seeded by single muons: HLT_IsoMu24 and its like. Both are required.
- 'Iso' in 2016 is hltL3cr*IsoFiltered0p09, the last filter of HLT_IsoMu*, and 'IsoTkMu' is hltL3f*IsoFiltered0p09, that
  of HLT_IsoTkMu*. They are bits of different objects, so one of them is enough. There is no '1mu': the muon of
  HLT_IsoMu19 with a tau has 'Iso' as well. The event is required to have fired a single-muon path.
"""

import re
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from hnl.datasets.arrays import Events
from hnl.datasets.nanoaod import UnknownLayoutError

BRANCH = "TrigObj_filterBits"

# Alternatives; an alternative needs all of its names.
_Names = tuple[tuple[str, ...], ...]
_ELECTRON: _Names = (("1e (WPTight)",),)
_MUON: _Names = (("Iso", "1mu"),)
_MUON_2016: _Names = (("Iso",), ("IsoTkMu",))
_UNTITLED = {"1e (WPTight)": 2, "Iso": 2, "1mu": 8, "IsoTkMu": 8}  # as in all titles known, v6 to v15

_SECTION = re.compile(r"(.*)\bfor (Electron|Muon)\s*(\([^()]*\))?\s*")  # e.g. 'for Electron (PixelMatched e/gamma)'
_BIT = re.compile(r"(?:^|[,:])\s*(\d+)\s*(=>?)\s*([^,]*)")  # '8 = 1mu' is a value, '3 => 1mu' (v11 on) a position


class Requirement(NamedTuple):
    """Required bits of an object of one flavour: all bits of any of the masks."""

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
        title: title of the branch; a title that lists no bits counts as missing.
        year: year of data taking, which decides if the title is missing.

    Raises:
        UnknownLayoutError: the title lists bits, but not those of isolated single leptons; the message quotes that
            part.
    """
    if _BIT.search(title) is None:
        muon = _MUON_2016 if year <= 2016 else _MUON
        return TriggerBits(_required(_ELECTRON, _UNTITLED), _required(muon, _UNTITLED), f"a table for {year}")
    sections = [match.groups() for part in title.split(";") if (match := _SECTION.fullmatch(part))]
    bits = {flavour: _bits(listed) for listed, flavour, _ in sections}
    return TriggerBits(
        _first_known(bits.get("Electron", {}), "electrons", _ELECTRON),
        _first_known(bits.get("Muon", {}), "muons", _MUON, _MUON_2016),
        "the title of the branch",
    )


def read_bits(events: Events, year: int) -> TriggerBits:
    """The meaning in the file of the events, from its inspection or, under coffea's `Runner`, from NanoEvents' title.

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
    """A `TriggerBits` from its JSON form, a list of lists."""
    *requirements, source = values
    electron, muon = (Requirement(tuple(masks), words) for masks, words in requirements)
    return TriggerBits(electron, muon, source)


def _bits(listed: str) -> dict[str, int]:
    """Name -> mask. Values with several bits are refused: that form is not known."""
    masks = {}
    for number, sign, name in _BIT.findall(listed):
        mask = 1 << int(number) if sign == "=>" else int(number)
        if mask.bit_count() != 1:
            raise UnknownLayoutError(f"{BRANCH}: {number} is not the value of one bit: {listed.strip()[:300]}")
        masks[name.strip()] = mask
    return masks


def _first_known(bits: dict[str, int], flavour: str, *choices: _Names) -> Requirement:
    for alternatives in choices:
        if all(name in bits for names in alternatives for name in names):
            return _required(alternatives, bits)
    names_sought = " nor ".join(
        " and ".join(f"'{n}'" for names in alternatives for n in names) for alternatives in choices
    )
    raise UnknownLayoutError(
        f"{BRANCH}: no {names_sought} for {flavour}; its title lists {', '.join(bits) or 'nothing'}"
    )


def _required(alternatives: _Names, bits: dict[str, int]) -> Requirement:
    masks = tuple(reduce(or_, (bits[name] for name in names)) for names in alternatives)
    words = " or ".join(" with ".join(f"{bits[name]} ({name})" for name in names) for names in alternatives)
    return Requirement(masks, words)
