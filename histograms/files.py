"""Histograms on disk: ROOT for everybody's tools, UHI JSON to read back what was written."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import hist
import uhi.io
import uhi.io.json
import uproot
from boost_histogram import serialization

from hnl import provenance
from hnl.errors import InputError
from hnl.histograms.fill import Histograms


class HistogramFileError(InputError):
    """A file of histograms cannot be read."""


def write_json(path: Path, histograms: Histograms) -> None:
    """One UHI JSON object for each histogram, with all axes."""
    provenance.write_text(path, json.dumps(histograms, default=uhi.io.json.default))


def read_json(path: Path) -> Histograms:
    """Reads UHI JSON, sparse or not, and gives back identically what was written.

    Raises:
        HistogramFileError: names the file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_hook=uhi.io.json.object_hook)
        return {name: from_uhi(serialised) for name, serialised in content.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise HistogramFileError(f"cannot read histograms from {path}: {error}") from error


def from_uhi(content: dict[str, Any]) -> hist.Hist:
    """A histogram from its UHI form, sparse or not."""
    return hist.Hist(serialization.from_uhi(uhi.io.from_sparse(content)))


def write_root(path: Path, histograms: Histograms) -> None:
    """One TH1D for each VARIABLE/SPLITS/DATASET, such as m_l1_sv/SR/ee_OS/wjets."""

    def fill(temporary: Path) -> None:
        with uproot.recreate(temporary) as root:
            for variable, histogram in histograms.items():
                datasets, *splits = (list(axis) for axis in histogram.axes[:-1])
                for *labels, dataset in product(*splits, datasets):
                    root["/".join((variable, *labels, dataset))] = histogram[(dataset, *labels, slice(None))]

    provenance.write(path, fill)
