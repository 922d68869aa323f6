"""The ABCD histograms on disk: UHI JSON in its sparse form (most cells are empty), and ROOT for everybody's tools."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import hist
import numpy as np
import uhi.io
import uhi.io.json
import uproot
from boost_histogram import serialization
from numpy.typing import NDArray

from hnl import provenance
from hnl.histograms.files import HistogramFileError, from_uhi
from hnl.histograms.fill import Histograms
from hnl.selections.displaced.regions import DELTA_2D_BINS, M_SV_BINS, N_BINS

BINS = [f"{m_sv}, {distance}" for m_sv in M_SV_BINS for distance in DELTA_2D_BINS]

# For each histogram: the axes that make the path of a TH3D, and those that become its x and y; z is always the bin.
LAYOUT = {
    "regions": (("hypothesis", "selection", "dataset", "era", "variation"), ("category",), ("window", "score")),
    "plane": (("hypothesis", "selection", "category", "dataset"), ("m_l1_sv",), ("score",)),
}
EMPTY = "empty"  # name of the object that holds the axes of a histogram, as UHI JSON


def write_json(path: Path, histograms: Histograms) -> None:
    """One sparse UHI object for each histogram, with all axes; `files.read_json` reads it."""
    content = {name: uhi.io.to_sparse(serialization.to_uhi(histogram)) for name, histogram in histograms.items()}
    provenance.write_text(path, json.dumps(content, default=uhi.io.json.default))


def write_root(path: Path, histograms: Histograms) -> None:
    """One TH3D for each combination of `LAYOUT` that holds anything, and the axes as text."""

    def fill(temporary: Path) -> None:
        with uproot.recreate(temporary) as root:
            for name, histogram in histograms.items():
                empty = hist.Hist(*histogram.axes, storage=hist.storage.Weight(), label=histogram.label)
                content = uhi.io.to_sparse(serialization.to_uhi(empty))
                root[f"{name}/{EMPTY}"] = json.dumps(content, default=uhi.io.json.default)
                for key, value, variance in _blocks(name, histogram):
                    if np.any(variance):
                        root[key] = _th3(name, histogram, value, variance)

    provenance.write(path, fill)


def read_root(path: Path) -> Histograms:
    """Reads what `write_root` wrote, identically.

    Raises:
        HistogramFileError: names the file.
    """
    try:
        with uproot.open(path) as root:
            names = [name for name in LAYOUT if name in root]
            result = {
                name: from_uhi(json.loads(str(root[f"{name}/{EMPTY}"]), object_hook=uhi.io.json.object_hook))
                for name in names
            }
            for name, histogram in result.items():
                for key, value, variance in _blocks(name, histogram):
                    if key in root:
                        value[...] = root[key].values().reshape(value.shape)
                        variance[...] = root[key].variances().reshape(value.shape)
            return result
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise HistogramFileError(f"cannot read histograms from {path}: {error}") from error


def _blocks(name: str, histogram: hist.Hist) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Key, and writable values and variances (x, y..., m_sv, delta_2d), of each TH3D of a histogram."""
    path, x, y = LAYOUT[name]
    names = [axis.name for axis in histogram.axes]
    order = [names.index(axis) for axis in (*path, *x, *y, "m_sv", "delta_2d")]
    view = histogram.view()
    value, variance = (np.transpose(view[field], order) for field in ("value", "variance"))
    labels = [list(histogram.axes[axis]) for axis in path]
    for index in product(*(range(len(axis)) for axis in labels)):
        key = "/".join([name, *(axis[i] for axis, i in zip(labels, index, strict=True))])
        yield key, value[index], variance[index]


def _th3(name: str, histogram: hist.Hist, value: NDArray[np.float64], variance: NDArray[np.float64]) -> hist.Hist:
    _, (x,), y = LAYOUT[name]
    y_axis = histogram.axes[y[0]]
    if len(y) > 1:
        labels = [", ".join(pair) for pair in product(*(list(histogram.axes[axis]) for axis in y))]
        y_axis = hist.axis.StrCategory(labels, name="_".join(y), overflow=False)
    z_axis = hist.axis.StrCategory(BINS, name="bin", overflow=False)
    result = hist.Hist(histogram.axes[x], y_axis, z_axis, storage=hist.storage.Weight())
    shape = (len(result.axes[0]), len(y_axis), N_BINS)
    result.view()["value"] = value.reshape(shape)
    result.view()["variance"] = variance.reshape(shape)
    return result
