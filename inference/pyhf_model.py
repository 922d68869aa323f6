"""The model as a pyhf workspace (HistFactory JSON), and pyhf as the reference engine.

One channel for each region of a cell and bin of a template, since a `normsys` acts on a whole channel. HistFactory has
products of factors but no quotient, so the rates of cells are written as

    D = nD fD    B = nB fD fB    C = nC fD fC    A = (nB nC / nD) c_AB fD fB fC

with n the observed counts (or floors), which is A = c_AB B C / D for any f. c_AB is a factor that is fixed, so that the
file says everything. Log-normal factors are `normsys` with hi = kappa and lo = 1 / kappa: kappa^theta for |theta| > 1,
and within, by pyhf's default (interpolation code 4), a polynomial that equals it to 1e-6 for kappa up to 1.5.
"""

from collections.abc import Mapping
from typing import Any

import pyhf

from hnl.errors import InputError
from hnl.inference import channels
from hnl.inference.asymptotics import LEVEL, CLs, Limit, crossing
from hnl.inference.channels import BACKGROUND, Count, ExportedProcess
from hnl.inference.likelihood import FitError, Likelihood
from hnl.inference.model import Model
from hnl.inference.templates import SIGNAL

FACTORS = {"A": ("fB", "fC", "fD"), "B": ("fB", "fD"), "C": ("fC", "fD"), "D": ("fD",)}
BOUND = 20.0  # of the factors f

Json = dict[str, Any]  # an object of a workspace


class WorkspaceError(InputError):
    """A workspace is not valid, or not one of ours; the message says where."""


def export(model: Model) -> Json:
    """The workspace, valid by pyhf's schema.

    Raises:
        HiddenDataError: the data are blinded; export `model.asimov()` in that case.
    """
    cells = {cell.name: cell for cell in model.cells}
    largest = max(10.0, 100 * float(Likelihood(model).mu_scale(Likelihood(model).data())[0]))
    parameters: list[Json] = [{"name": "mu", "inits": [0.0], "bounds": [[0.0, largest]]}]
    for name, cell in cells.items():
        parameters += [{"name": f"{f}_{name}", "inits": [1.0], "bounds": [[0.0, BOUND]]} for f in FACTORS["A"]]
        if cell.c_ab != 1:
            fixed = {"inits": [cell.c_ab], "bounds": [[0.0, 2 * cell.c_ab]], "fixed": True}
            parameters.append({"name": f"cAB_{name}", **fixed})
    for process in model.free:
        bounds = [[0.0, channels.largest_normalisation(model, process)]]
        parameters.append({"name": channels.free_name(process), "inits": [1.0], "bounds": bounds})
    result, observations = [], []
    for count in channels.counts(model):
        samples = [_sample(SIGNAL, count.signal, [_factor("mu")], count.signal_factors)]
        for process, part in count.backgrounds.items():
            nominal, rates = part.scale, [_factor(channels.free_name(process))] if part.free else []
            if place := channels.region_of(count.name):
                name, region = place
                b, c, d = cells[name].sidebands
                nominal = {"A": b * c / d, "B": b, "C": c, "D": d}[region]
                rates = [_factor(f"{f}_{name}") for f in FACTORS[region]]
                if part.scale != 1:
                    rates.append(_factor(f"cAB_{name}"))
            samples.append(_sample(process, nominal, rates, part.factors))
        result.append({"name": count.name, "samples": samples})
        observations.append({"name": count.name, "data": [count.observed]})
    workspace = {
        "channels": result,
        "observations": observations,
        "measurements": [{"name": "limit", "config": {"poi": "mu", "parameters": parameters}}],
        "version": "1.0.0",
    }
    pyhf.schema.validate(workspace, "workspace.json")
    return workspace


def _factor(name: str) -> Json:
    return {"name": name, "type": "normfactor", "data": None}


def _sample(name: str, value: float, factors: list[Json], kappas: Mapping[str, float]) -> Json:
    systematic = [{"name": n, "type": "normsys", "data": {"hi": k, "lo": 1 / k}} for n, k in kappas.items()]
    return {"name": name, "data": [value], "modifiers": factors + systematic}


def read(workspace: Json) -> Model:
    """The model of a workspace that `export` made; it is the same again.

    Raises:
        WorkspaceError: it is not valid by the schema, or not of this structure.
        ModelError: what it says is refused, see `inference.model_errors`.
    """
    try:
        pyhf.schema.validate(workspace, "workspace.json")
    except pyhf.exceptions.InvalidSpecification as error:
        raise WorkspaceError(f"not a valid pyhf workspace: {error}") from error
    observed = {entry["name"]: entry["data"] for entry in workspace["observations"]}
    parameters = {p["name"]: p for p in workspace["measurements"][0]["config"]["parameters"]}
    found = []
    for channel in workspace["channels"]:
        name, samples = channel["name"], {sample["name"]: sample for sample in channel["samples"]}
        is_cell = channels.region_of(name) is not None
        if SIGNAL not in samples or len(samples) != len(channel["samples"]) or len(observed.get(name, ())) != 1:
            raise WorkspaceError(f"channel {name} needs a sample {SIGNAL}, others of other names, and data of one bin")
        signal, factors, kappas = _parts(name, samples.pop(SIGNAL))
        if is_cell and list(samples) != [BACKGROUND]:
            raise WorkspaceError(f"channel {name} of a cell needs the samples {SIGNAL} and {BACKGROUND}")
        if factors != {"mu"}:
            raise WorkspaceError(f"channel {name}: the signal must be scaled by mu, not by {sorted(factors)}")
        backgrounds = {process: _process(name, process, sample, parameters) for process, sample in samples.items()}
        found.append(Count(name, observed[name][0], signal, kappas, backgrounds))
    return channels.model(found)


def _process(channel: str, process: str, sample: Json, parameters: Mapping[str, Json]) -> ExportedProcess:
    """A background; of cells the factors are checked, and give c_AB."""
    nominal, rates, kappas = _parts(channel, sample)
    place = channels.region_of(channel)
    if place is None:
        if rates - {channels.free_name(process)}:
            raise WorkspaceError(f"channel {channel}: {process} is scaled by {sorted(rates)}, not by a normalisation")
        return ExportedProcess(nominal, kappas, bool(rates))
    cell, region = place
    correction = f"cAB_{cell}"
    if rates - {correction} != {f"{f}_{cell}" for f in FACTORS[region]}:
        raise WorkspaceError(f"channel {channel}: the background is scaled by {sorted(rates)}: not an ABCD model")
    return ExportedProcess(parameters[correction]["inits"][0] if correction in rates else 1.0, kappas, free=False)


def _parts(channel: str, sample: Json) -> tuple[float, set[str], dict[str, float]]:
    """Yield, names of the free factors, log-normal factors."""
    factors, kappas = set(), {}
    if len(sample["data"]) != 1:
        raise WorkspaceError(f"channel {channel} has {len(sample['data'])} bins, not one")
    for modifier in sample["modifiers"]:
        name, data = modifier["name"], modifier["data"]
        if modifier["type"] == "normfactor":
            factors.add(name)
        elif modifier["type"] == "normsys" and abs(data["hi"] * data["lo"] - 1) < 1e-12:
            kappas[name] = data["hi"]
        else:
            raise WorkspaceError(f"channel {channel}: {name} is no factor, nor log-normal (normsys with lo = 1 / hi)")
    return sample["data"][0], factors, kappas


class Reference:
    """A model in pyhf with the numpy backend and Minuit: slow, and not our code. Sets pyhf's backend."""

    def __init__(self, model: Model) -> None:
        pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(tolerance=1e-3, strategy=1, maxiter=1_000_000))
        workspace = pyhf.Workspace(export(model))
        self.model = workspace.model()
        self.data = workspace.data(self.model)
        self.unit = float(Likelihood(model).mu_scale(Likelihood(model).data())[0])

    def cls(self, mu: float) -> CLs:
        """Observed and expected CLs at mu.

        Raises:
            FitError: Minuit failed.
        """
        try:
            calculator = pyhf.infer.calculators.AsymptoticCalculator(self.data, self.model, test_stat="qtilde")
            statistic = calculator.teststatistic(mu)
            both = calculator.distributions(mu)
            _, _, observed = calculator.pvalues(statistic, *both)
            _, _, expected = calculator.expected_pvalues(*both)
        except pyhf.exceptions.FailedMinimization as error:
            raise FitError(f"pyhf's fit at mu = {mu:g} failed: {error}") from error
        root_a = float(calculator.sqrtqmuA_v)
        distance = float(statistic)
        q = (distance + root_a) ** 2 if distance <= 0 else root_a**2 + 2 * root_a * distance
        best = float(calculator.fitted_pars.free_fit_to_data[self.model.config.poi_index])
        return CLs(mu, float(observed), tuple(float(v) for v in expected), q, root_a**2, best)

    def upper_limit(self, level: float = LEVEL) -> Limit:
        """The mu at which CLs falls to 1 - level: observed, and the median expected only."""
        found: dict[float, CLs] = {}

        def at(mu: float) -> CLs:
            return found.setdefault(mu, found.get(mu) or self.cls(mu))

        observed = crossing(lambda mu: (at(mu).observed or 0.0) - (1 - level), 2 * self.unit)
        median = crossing(lambda mu: at(mu).expected[2] - (1 - level), observed)
        return Limit(observed, (median,), level, "asymptotic")
