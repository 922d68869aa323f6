"""Random events near every threshold of the selection: signal-like ones, each disturbed in a few places."""

import numpy as np
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, Event, Object, bitmap, event, flight, on_track, wrap

Rng = np.random.Generator


def random_events(n: int, seed: int) -> list[Event]:
    """`n` events; about a quarter passes everything."""
    rng = np.random.default_rng(seed)
    return [random_event(i + 1, rng) for i in range(n)]


def random_event(number: int, rng: Rng) -> Event:
    """One signal-like event with a few disturbances, and more objects beside."""
    flavours = [str(f) for f in rng.choice(["e", "mu"], 2)]
    phi = rng.uniform(-3.1415, 3.1415)
    l1: Object = {"pt": rng.uniform(36, 70), "eta": rng.uniform(-2.3, 2.3), "phi": phi}
    l1["charge"] = int(rng.choice([-1, 1]))
    l2: Object = {
        "pt": rng.uniform(8, 50),
        "eta": rng.uniform(-2.2, 2.2),
        "phi": wrap(phi + rng.uniform(-3.14, 3.14)),
        "charge": int(rng.choice([-1, 1])),
    }
    jet: Object = {"pt": rng.uniform(21, 80)}
    sv: Object = {"pt": rng.uniform(5, 30), "mass": rng.uniform(1, 8)}
    sv |= {"eta": l2["eta"] + rng.normal(0, 0.15), "phi": wrap(l2["phi"] + rng.normal(0, 0.15))}
    l2 |= {"dxy": float(rng.choice([-0.5, 0.1])), "dz": 1.0}
    path, off_track = rng.uniform(0.1, 20), rng.normal(0, 0.005, 3)
    hlt_object: Object = {"eta": l1["eta"] + rng.normal(0, 0.03), "phi": wrap(phi + rng.normal(0, 0.03))}
    hlt: dict[str, bool] | None = None

    disturbances = {
        "l1 kinematics": lambda: l1.update(pt=rng.uniform(25, 40), eta=rng.uniform(-2.6, 2.6)),
        "l1 track": lambda: l1.update(dxy=rng.uniform(-0.025, 0.025), dz=rng.uniform(-0.12, 0.12)),
        "l1 isolation": lambda: l1.update(pfRelIso03_all=rng.uniform(0, 0.2)),
        "l1 id": lambda: l1.update(mva=False, mediumId=False),
        "l2 kinematics": lambda: l2.update(pt=rng.uniform(5, 10), eta=rng.uniform(-2.6, 2.6)),
        "l2 track": lambda: l2.update(dxy=rng.uniform(-0.04, 0.04), dz=rng.uniform(-12, 12)),
        "l2 electron id": lambda: l2.update(vidNestedWPBitmap=random_bitmap(rng)),
        "l2 muon id": lambda: l2.update(
            segmentComp=rng.uniform(0.2, 0.6), isGlobal=bool(rng.integers(2)), looseId=bool(rng.integers(4))
        ),
        "l2 in no SV": lambda: l2.update(svIdx=int(rng.integers(-1, 3))),
        "jet": lambda: jet.update(pt=rng.uniform(15, 25), jetId=int(rng.integers(0, 8))),
        "jet place": lambda: jet.update(eta=l2["eta"] + rng.normal(0, 0.7), phi=wrap(l2["phi"] + rng.normal(0, 0.5))),
        "jet content": lambda: jet.update(random_content(rng)),
        "sv significance": lambda: sv.update(dlenSig=rng.uniform(0, 2), dxySig=rng.uniform(1, 5)),
        "sv place": lambda: off_track.__iadd__(rng.normal(0, 0.06, 3)),
        "hlt place": lambda: hlt_object.update(eta=l1["eta"] + rng.uniform(-0.2, 0.2)),
        "hlt bits": lambda: hlt_object.update(filterBits=int(rng.integers(0, 16)), id=int(rng.choice([11, 13]))),
        "close pair": lambda: l2.update(eta=l1["eta"] + rng.normal(0, 0.3), phi=wrap(phi + rng.normal(0, 0.5))),
    }
    for name in rng.choice(list(disturbances), rng.poisson(1.0), replace=True):
        disturbances[str(name)]()
    if rng.random() < 0.15:  # around the DY window
        l2["pt"] = (rng.uniform(80, 100) ** 2 / (2 * l1["pt"])) / (
            np.cosh(l1["eta"] - l2["eta"]) - np.cos(l1["phi"] - l2["phi"])
        )
    sv |= moved(on_track(l2, path), off_track)
    if rng.random() < 0.2:
        fired = rng.random(4) < 0.4
        hlt = dict(zip((*ELECTRON_PATHS, *MUON_PATHS), map(bool, fired), strict=True))
    more: dict[str, list[Object]] = {
        "Electron": [random_lepton(rng, "vidNestedWPBitmap") for _ in range(rng.poisson(0.3))],
        "Muon": [random_lepton(rng, "segmentComp") for _ in range(rng.poisson(0.3))],
        "Jet": [random_jet(rng, l1) for _ in range(rng.poisson(0.8))],
        "SV": [random_vertex(rng, l2) for _ in range(rng.poisson(0.7))],
        "TrigObj": [random_trigger_object(rng, l1) for _ in range(rng.poisson(1.0))],
    }
    result = event(
        number,
        l1_flavour=flavours[0],
        l2_flavour=flavours[1],
        l1=l1,
        l2=l2,
        jet=jet,
        sv=sv,
        hlt_object=hlt_object,
        hlt=hlt,
        more=more,
        run=int(rng.integers(1, 4)),
        luminosityBlock=int(rng.integers(1, 50)),
        genWeight=float(rng.choice([-1.5, 0.5, 2.0])),
    )
    return result if rng.random() < 0.5 else shuffled(result, rng)


def random_bitmap(rng: Rng) -> int:
    """All ten cuts passed tightly but for one or two."""
    points = [4] * 10
    for _ in range(2):
        points[rng.integers(10)] = int(rng.integers(0, 5))
    return bitmap(points)


def random_content(rng: Rng) -> Object:
    """Energy fractions and multiplicities of a jet near the thresholds of its ID."""
    return {
        "neHEF": rng.choice([0.2, 0.98, 0.995]),
        "neEmEF": rng.choice([0.2, 0.89, 0.91]),
        "chHEF": rng.choice([0.5, 0.02, 0.005]),
        "chMultiplicity": int(rng.integers(0, 3)),
        "neMultiplicity": int(rng.integers(0, 3)),
    }


def random_lepton(rng: Rng, id_column: str) -> Object:
    """A further lepton, rarely good enough for l1 or l2."""
    return {
        "pt": float(rng.exponential(15) + 3),
        "eta": rng.uniform(-2.6, 2.6),
        "phi": rng.uniform(-3.1415, 3.1415),
        "charge": int(rng.choice([-1, 1])),
        "dxy": rng.normal(0, 0.02),
        "dz": rng.normal(0, 0.05),
        "pfRelIso03_all": float(rng.exponential(0.2)),
        "mva": bool(rng.integers(2)),
        "mediumId": bool(rng.integers(2)),
        "svIdx": int(rng.integers(-1, 2)),
        id_column: random_bitmap(rng) if id_column == "vidNestedWPBitmap" else rng.uniform(0.1, 0.8),
    }


def random_jet(rng: Rng, l1: Object) -> Object:
    """A further jet, sometimes near l1, often not good."""
    place = {"eta": rng.uniform(-3, 3), "phi": rng.uniform(-3.1415, 3.1415)}
    if rng.random() < 0.4:
        place = {"eta": l1["eta"] + rng.normal(0, 0.3), "phi": wrap(l1["phi"] + rng.normal(0, 0.3))}
    content = random_content(rng) if rng.random() < 0.5 else {}
    return place | content | {"pt": rng.uniform(15, 50), "jetId": int(rng.choice([0, 1, 2, 6, 6]))}


def moved(place: Object, by: np.ndarray) -> Object:
    """A place (cm), somewhere else."""
    return {c: place[c] + float(step) for c, step in zip("xyz", by, strict=True)}


def random_vertex(rng: Rng, l2: Object) -> Object:
    """A further vertex, mostly near the track of l2."""
    eta, phi = l2["eta"] + rng.normal(0, 0.3), wrap(l2["phi"] + rng.normal(0, 0.3))
    momentum = {"eta": eta, "phi": phi}
    size = {
        "pt": rng.uniform(5, 40),
        "mass": rng.uniform(1, 8),
        "dlenSig": rng.uniform(0, 5),
        "dxySig": rng.uniform(0, 9),
    }
    if rng.random() < 0.3:
        return momentum | size | flight(rng.uniform(0.1, 10), eta, phi)
    return momentum | size | moved(on_track(l2, rng.uniform(0.1, 10)), rng.normal(0, 0.03, 3))


def random_trigger_object(rng: Rng, l1: Object) -> Object:
    """A further HLT object, sometimes at l1."""
    place = {"eta": rng.uniform(-2.5, 2.5), "phi": rng.uniform(-3.1415, 3.1415)}
    if rng.random() < 0.5:
        place = {"eta": l1["eta"] + rng.normal(0, 0.1), "phi": l1["phi"]}
    return place | {"pt": 30.0, "id": int(rng.choice([1, 11, 13, 22])), "filterBits": int(rng.integers(0, 32))}


def shuffled(original: Event, rng: Rng, *, vertices: bool = False) -> Event:
    """The same event with the objects of each collection in another order: of vertices on request, as svIdx tells by
    their order which of them may hold a lepton."""
    result = dict(original)
    for name in ("Electron", "Muon", "Jet", "TrigObj", *(("SV",) if vertices else ())):
        result[name] = [dict(original[name][i]) for i in rng.permutation(len(original[name]))]
    return result
