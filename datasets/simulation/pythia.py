"""The interface to Pythia: make a generator, and turn its batches into particle tables.

Lengths are mm inside Pythia and cm in the particle table.
"""

from collections.abc import Sequence
from typing import Any

import awkward as ak
import numpy as np
import pythia8mc
from numpy.typing import NDArray

from hnl.datasets.simulation import particles
from hnl.errors import HNLError

PYTHIA_HNL = 9990014
"""Identity of N inside Pythia: 9900012 is a built-in resonance there, with no open channel."""

BATCH = 250
"""Events per call of ``nextBatch``; our choice: about 20 MB, 100 MB with multiparton interactions."""

COMMON = (
    "Print:quiet = on",
    "Beams:idA = 2212",
    "Beams:idB = 2212",
    "Beams:eCM = 13000",
    # Pions and kaons decay in flight inside the tracker and the calorimeters (CMS: r < 1.2 m, |z| < 2.8 m).
    "211:mayDecay = on",
    "321:mayDecay = on",
    "130:mayDecay = on",
    "ParticleDecays:limitCylinder = on",
    "ParticleDecays:xyMax = 1200",
    "ParticleDecays:zMax = 2800",
)


def start(settings: Sequence[str], seed: int, hooks: Any = None) -> Any:
    """Make an initialised Pythia.

    Args:
        settings: Pythia settings, on top of :data:`COMMON`.
        seed: seed of the random number generator, 1 to 900 000 000.
        hooks: a ``pythia8mc.UserHooks``, which must live as long as the generator.

    Raises:
        HNLError: a setting is unknown to Pythia, or it cannot start with these settings.
    """
    pythia = pythia8mc.Pythia("", False)
    for setting in (*COMMON, "Random:setSeed = on", f"Random:seed = {seed}", *settings):
        if not pythia.readString(setting):
            raise HNLError(f"Pythia does not understand the setting {setting!r}")
    if hooks is not None:
        pythia.setUserHooksPtr(hooks)
    if not pythia.init():
        raise HNLError(f"Pythia cannot start with the settings {list(settings)}")
    return pythia


def production_vertices(batch: ak.Array) -> NDArray[np.float64]:
    """True production vertices of the particles of a batch, in mm, shape (particles of all events, 3).

    ``prt.vProd`` of ``Pythia.nextBatch`` (8.317) is misaligned: its option index has one surplus entry at the
    start of each event, so that every later entry is one particle late for each event before it, and the
    array is cut short at the end. The buffers below still hold the uncut index and coordinates: they are read
    without the surplus entries. A test compares the result with ``Pythia.next()``.

    Raises:
        HNLError: the buffers do not have that layout (another version of Pythia).
    """
    prt = batch.layout["prt"]
    offsets = np.asarray(prt.offsets.data, np.int64)
    v_prod = prt.content.content("vProd")
    index = _uncut(v_prod.index.data)
    if len(index) != offsets[-1] + len(batch):
        raise HNLError(
            f"unexpected batch of Pythia: {len(index)} vertex entries for {offsets[-1]} particles in "
            f"{len(batch)} events; expected one surplus entry per event, as in Pythia 8.317"
        )
    event = np.repeat(np.arange(len(batch)), np.diff(offsets))
    index = index[np.arange(offsets[-1]) + event + 1]
    vertices = np.zeros((len(index), 3))
    for axis, name in enumerate(("px", "py", "pz")):  # Pythia calls the coordinates of any four-vector so
        vertices[index >= 0, axis] = _uncut(v_prod.content.content(name).data)[index[index >= 0]]
    return vertices


def _uncut(data: NDArray[Any]) -> NDArray[Any]:
    """The whole buffer that begins with ``data``."""
    return data if data.base is None else np.asarray(data.base).view(data.dtype)


def particle_table(batch: ak.Array, weight: NDArray[np.float64], first_event: int) -> ak.Array:
    """Turn a batch into a particle table (:mod:`hnl.datasets.simulation.particles`).

    The table keeps all final particles; of the intermediate ones all hadrons and the last copies of t, W, Z, tau
    and N; and the b and c quarks that hadronise. These quarks stand beside their hadrons, without children, because
    string fragmentation does not define which hadron comes from which quark. The parent is the nearest kept ancestor
    along Pythia's first mother.

    Args:
        batch: result of ``Pythia.nextBatch``.
        weight: weight of each event, shape (events,).
        first_event: ``event_id`` of the first event; those of the others follow.
    """
    prt = batch.prt
    counts = ak.to_numpy(ak.num(prt.id))
    event = np.repeat(np.arange(len(counts)), counts)
    first = (np.cumsum(counts) - counts)[event]
    pdg_id, status = particles.flat(prt.id), particles.flat(prt.status)
    mother = particles.flat(prt.mother1) + first
    daughters = [particles.flat(prt[name]) + first for name in ("daughter1", "daughter2")]
    kind = np.abs(pdg_id)

    final = status > 0
    last_copy = (pdg_id[daughters[0]] != pdg_id) & (pdg_id[daughters[1]] != pdg_id)
    diquark = (kind > 1000) & (kind < 10000) & (kind // 10 % 10 == 0)
    from_string_or_decay = (np.abs(status) > 80) & (np.abs(status) < 100)
    decayed_hadron = particles.is_hadron(pdg_id) & ~diquark & from_string_or_decay & ~final
    resonance = np.isin(kind, [6, 15, 23, 24, PYTHIA_HNL]) & ~final & last_copy
    quark = np.isin(kind, [4, 5]) & ~final & from_string_or_decay[daughters[0]] & last_copy
    keep = final | decayed_hadron | resonance | quark

    # Entry 0 of each event is its own mother: there the search up the mothers ends if it finds nothing.
    parent = mother
    step = np.where(keep & ~quark, np.arange(len(mother)), mother)
    while not np.array_equal(parent, further := step[parent]):
        parent, step = further, step[step]
    kept = np.bincount(event[keep], minlength=len(counts))
    new_index = np.cumsum(keep) - 1 - (np.cumsum(kept) - kept)[event]
    parent = np.where(parent == first, -1, new_index[parent])

    vertices = production_vertices(batch) / 10
    columns = {
        "pdg_id": np.where(kind == PYTHIA_HNL, np.sign(pdg_id) * particles.HNL, pdg_id)[keep],
        "status": np.where(final, particles.STABLE, particles.DECAYED)[keep],
        "px": particles.flat(prt.p.px)[keep],
        "py": particles.flat(prt.p.py)[keep],
        "pz": particles.flat(prt.p.pz)[keep],
        "energy": particles.flat(prt.p.e)[keep],
        "vx": vertices[keep, 0],
        "vy": vertices[keep, 1],
        "vz": vertices[keep, 2],
        "parent": parent[keep],
    }
    return particles.build(kept, columns, first_event + np.arange(len(batch)), weight)
