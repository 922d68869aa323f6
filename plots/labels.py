"""What figures of results write: the label above them, names of parameters, features and bins as people read them."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hnl.plots import style
from hnl.plots.style import Label
from hnl.selections.displaced.categories import CATEGORIES, named

FEATURES = {  # of `ml.displaced.features`
    "l2_pt": r"$p_T(\ell_2)$",
    "l2_abs_eta": r"$|\eta(\ell_2)|$",
    "l2_rel_iso": r"$I_{rel}(\ell_2)$",
    "l2_abs_dxy": r"$|d_{xy}|$",
    "l2_dxy_err": r"$\sigma(d_{xy})$",
    "l2_dxy_sig": r"$|d_{xy}|\,/\,\sigma$",
    "l2_abs_dz": r"$|d_z|$",
    "l2_dz_err": r"$\sigma(d_z)$",
    "l2_dz_sig": r"$|d_z|\,/\,\sigma$",
    "l2_d_xyz": r"$d_{xyz}$",
    "l2_d_xyz_sig": r"$d_{xyz}\,/\,\sigma$",
    "l2_pixel_hits": r"pixel hits of $\ell_2$",
    "l2_lost_hits": r"lost hits of $\ell_2$",
    "l2_tracker_layers": r"tracker layers of $\ell_2$",
    "jet_pt": r"$p_T(jet)$",
    "jet_abs_eta": r"$|\eta(jet)|$",
    "jet_mass": r"$m(jet)$",
    "jet_n_constituents": r"particles in jet",
    "delta_r_l2_jet": r"$\Delta R(\ell_2, jet)$",
    "pt_rel_l2_jet": r"$p_{T,rel}(\ell_2, jet)$",
    "pt_ratio_l2_jet": r"$p_T(\ell_2)\,/\,p_T(jet)$",
    "jet_n_displaced": "displaced tracks in jet",
    "jet_displaced_pt_fraction": r"displaced $p_T$ fraction",
    "jet_mean_significance": r"mean $|d_0|\,/\,\sigma$ in jet",
    "jet_second_significance": r"second $|d_0|\,/\,\sigma$ in jet",
    "sv_pt": r"$p_T(SV)$",
    "sv_abs_eta": r"$|\eta(SV)|$",
    "m_sv": r"$m_{SV}$",
    "sv_n_tracks": "tracks of SV",
    "sv_chi2_ndof": r"$\chi^2\,/\,n_{dof}$ of SV",
    "sv_p_angle": r"$\angle(PV{\rightarrow}SV, p_{SV})$",
    "delta_2d": r"$\Delta_{2D}$",
    "delta_2d_sig": r"$\Delta_{2D}\,/\,\sigma$",
    "delta_3d": r"$\Delta_{3D}$",
    "delta_3d_sig": r"$\Delta_{3D}\,/\,\sigma$",
    "delta_r_l2_sv": r"$\Delta R(\ell_2, SV)$",
    "delta_r_jet_sv": r"$\Delta R(jet, SV)$",
    "pt_ratio_sv_jet": r"$p_T(SV)\,/\,p_T(jet)$",
}
_OF_CELLS = {"closure": "closure", "dy": "Drell-Yan", "mc": "MC stat."}  # parameters that belong to cells or categories
_PARAMETERS = {
    "mu": r"$\mu$",
    "jes": "jet energy scale",
    "jer": "jet energy resolution",
    "score": "classifier score",
    "k_factor": "k factor",
}
BELOW = 3.3  # letters from the axes to a legend below them
_CELL = re.compile(rf"({'|'.join(_OF_CELLS)})_({'|'.join(CATEGORIES)})(?:_b(\d+))?(?:_(\w))?")


def above(text: str, luminosity: float, *, projected: bool = False, of: Label | None = None) -> Label:
    """What is written above a figure of a file of results.

    >>> above("data, 59.8/fb (13 TeV), expected only: region A is blinded", 59.8).right
    '59.8 fb$^{-1}$ (13 TeV)'

    Args:
        text: label of the file; the energy is in it.
        luminosity: in /fb.
        projected: the results are those of simulated background.
        of: label of the catalogue, which knows whether the data are simulated.
    """
    energy = re.search(r" \([^()]*eV\)", text)
    right = f"{luminosity:g} fb$^{{-1}}$" + (energy.group() if energy else "")
    of = of or Label("private work")
    return Label("simulation" if projected else of.status, right, of.data)


def category(label: str) -> str:
    """A category in symbols, such as '$\\mu \\mu$ OS'; other names with spaces."""
    return f"{named(label).symbols} {named(label).charge}" if label in CATEGORIES else spaced(label)


def parameter(name: str) -> str:
    """A parameter of a fit as people read it.

    >>> parameter("closure_mumu_SS"), parameter("mc_ee_OS_b1_A"), parameter("trigger_muon_2018")
    ('closure $\\\\mu \\\\mu$ SS', 'MC stat. $e e$ OS bin 1 A', 'trigger muon 2018')
    """
    if match := _CELL.fullmatch(name):
        kind, place, number, region = match.groups()
        words = [_OF_CELLS[kind], category(place), *(("bin", number) if number else ()), region or ""]
        return " ".join(words).rstrip()
    return _PARAMETERS.get(name, spaced(name))


def ems(texts: Iterable[str]) -> float:
    """The room that the longest of some texts takes, in letters: a little over a half of one for each character."""
    lengths = [len(re.sub(r"\\[a-zA-Z]+", "x", text).translate(str.maketrans("", "", "${}^_\\"))) for text in texts]
    return 1.0 + 0.54 * max(lengths, default=0)


def figure_of(ax: Axes) -> Figure:
    """The figure that axes are in."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def legend_below(
    ax: Axes, handles: Sequence[Artist] | None = None, *, columns: int = 2, title: str = "", grow: bool = True
) -> None:
    """A legend below the title of the x axis, where it covers nothing.

    Args:
        ax: axes, with fixed places.
        handles: what it lists; by default all that have a label.
        columns: of the legend.
        title: above its entries.
        grow: make the figure higher, by the room that the legend takes.
    """
    figure, listed = figure_of(ax), ax.get_legend_handles_labels()[0] if handles is None else handles
    one = style.em()
    if grow:
        room = (1.35 * (-(-len(listed) // columns) + title.count("\n") + bool(title)) + 0.5) * one
        (width, height), at = figure.get_size_inches(), ax.get_position()
        figure.set_size_inches(width, height + room)
        ax.set_position(
            (at.x0, (at.y0 * height + room) / (height + room), at.width, at.height * height / (height + room))
        )
    below = BELOW * one / (ax.get_position().height * figure.get_size_inches()[1])
    place: dict[str, Any] = {"loc": "upper right", "bbox_to_anchor": (1.0, -below), "ncols": columns}
    legend = ax.legend(handles=listed, title=title or None, borderpad=0, borderaxespad=0, alignment="left", **place)
    legend.get_title().set_fontsize("medium")


def spaced(name: str) -> str:
    """A name with spaces for underscores."""
    return name.replace("_", " ")
