"""Weights that a catalogue adds to those of Table 4 (`datasets.own_weights`): their checks and their values.

A weight multiplies the nominal weight if its correction has a nominal value. Its variations belong to a nuisance
parameter, and weights with one parameter vary together. Training does not use them, as it uses no corrections.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hnl.corrections import library, nuisances
from hnl.corrections.library import CorrectionError
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.own_weights import Constant, OwnWeight, Place, Ways, nearest
from hnl.datasets.variations import NOMINAL

WAYS = (NOMINAL, "up", "down")


def factors(
    own: Sequence[OwnWeight], dataset: Dataset, candidates: Mapping[str, np.ndarray]
) -> dict[str, dict[str, np.ndarray]]:
    """Factors on the weights of the candidates of a dataset.

    Args:
        own: of the catalogue; those that do not apply to the dataset are left out.
        dataset: of simulation.
        candidates: n rows with all columns.

    Returns:
        Nuisance parameter -> 'nominal', 'up' and 'down' -> float64, (n,), all above zero.

    Raises:
        CorrectionError: an input is NaN or refused by the correction, or a value is not above zero. The message names
            the weight, the file and the inputs.
    """
    result: dict[str, dict[str, np.ndarray]] = {}
    for entry in own:
        if entry.applies_to(dataset):
            values, parameter = _values(entry, candidates), entry.parameter(dataset.era)
            before = result.get(parameter, {})
            result[parameter] = {way: before.get(way, 1.0) * value for way, value in values.items()}
    return result


def _values(entry: OwnWeight, candidates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    inputs = library.arguments(candidates, entry.columns, entry.constants, entry.clip)
    name, ways = entry.varied
    ones = np.ones(len(candidates["gen_weight"]))
    values = {NOMINAL: ones}
    for way, value in ways.values.items():
        try:
            # With an array among the inputs, also if all of its own are single values.
            given = {"": ones, **inputs, name: value}
            values[way] = library.evaluate(entry.file, entry.correction, given, positive=True)
        except CorrectionError as error:
            raise CorrectionError(f"weight {entry.name}: {error}") from None
    return values


def problem(catalogue: Catalogue, columns: Sequence[str]) -> tuple[Place, str] | None:
    """What is wrong with the weights of a catalogue, told before any event is read: where, and why.

    Args:
        catalogue: as it was loaded.
        columns: of the candidates.
    """
    taken = _taken(catalogue)
    for i, entry in enumerate(catalogue.weights):
        named = "nuisance" if entry.nuisance.name else "name"
        own_names = {
            f"{entry.nuisance.name or entry.name}{end}" for end in ("", *(f"_{era}" for era in catalogue.eras))
        }
        clash = sorted(own_names & taken)
        if clash or entry.parameter("").startswith((*nuisances.RESERVED[:-2], "cross_section_")):
            name = clash[0] if clash else entry.parameter("")
            return ("weights", i, named), f"weight {entry.name}: the name {name} is taken by another nuisance"
        if found := next(_wrong_inputs(entry, columns), None):
            place, message = found
            return ("weights", i, *place), f"weight {entry.name}: {message}"
    return None


def _wrong_inputs(entry: OwnWeight, columns: Sequence[str]) -> Iterator[tuple[Place, str]]:
    """Of the correction and its inputs."""
    try:
        types = library.inputs_of(entry.file, entry.correction)
    except CorrectionError as error:
        yield ("correction",), str(error)
        return
    of_correction = f"{entry.file}: the correction {entry.correction}"
    if unknown := [name for name in entry.inputs if name not in types]:
        yield ("inputs", unknown[0]), f"{of_correction} has no input '{unknown[0]}'{nearest(unknown[0], list(types))}"
        return
    if missing := [name for name in types if name not in entry.inputs]:
        yield ("inputs",), f"{of_correction} wants the input '{missing[0]}', which is not given"
    for name, value in entry.inputs.items():
        place = ("inputs", name)
        if isinstance(value, Ways):
            known = library.keys(entry.file, entry.correction, name)
            listed = sorted(str(one) for one in known or ())
            for way, text in value.values.items():
                if known is not None and text not in known:
                    yield (*place, way), f"{of_correction} has no {name} = {text}{nearest(str(text), listed)}"
        elif types[name] == "string" and not isinstance(value, Constant):
            yield place, f"{of_correction} wants a text as '{name}': {{constant: {value}}}"
        elif isinstance(value, Constant) and types[name] != "string":
            yield place, f"{of_correction} wants a number as '{name}', not the text {value.constant}"
        elif isinstance(value, str) and library.column_of(value) not in columns:
            column = library.column_of(value)
            yield place, f"candidates have no column {column}{nearest(column, columns)}"


def _taken(catalogue: Catalogue) -> set[str]:
    """Names of nuisance parameters that the weights of a catalogue must not have."""
    names = {nuisances.parameter(name, era) for name in nuisances.BY_NAME for era in catalogue.eras}
    names |= {*nuisances.BY_NAME, *nuisances.RESERVED, NOMINAL}
    for era in catalogue.eras.values():
        names |= {*(era.known_luminosity_uncertainties or ())}
        names |= {*(era.corrections.jets.nuisances if era.corrections.jets else ())}
    return names
