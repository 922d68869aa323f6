"""The closure gate: what was processed must be what the catalogue promises, before anything is made of it."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from math import fsum, sqrt
from typing import TypeVar

from hnl.datasets.catalogue import FROM_RUNS_TREE, Dataset
from hnl.errors import HNLError, InputError
from hnl.processors.manifests import Manifest
from hnl.processors.selection_files import FileFacts

Number = TypeVar("Number", int, float)

WEIGHT_PRECISION = 1e-5  # relative, of a sum of weights in single precision. Our choice.
# Relative weights are stored with 8 bits or more of mantissa; a wrong place in the list is off by some per cent.
RUNS_TOLERANCE = 0.003
# Sums of weights of a variation, relative to nominal. Scales move cross sections by up to alpha_s^4 at leading order,
# 0.6 to 1.7, and by opposite amounts: the geometric mean of up and down is 0.9 to 1.1. Weights that were counted twice
# or more, as by older CMSSW in merged files, have 1.8 at least. Our choice.
NORMS, MEANS = (0.5, 2.0), (0.7, 1.4)
# A file is judged on its own if its events weigh as much as this many of equal weight: of fewer, weights of either sign
# can cancel by chance. Our choice.
JUDGED = 25.0


class ClosureError(HNLError):
    """Processed and promised events do not agree, so no normalisation can be trusted."""


class GeneratorNormError(InputError):
    """The generator's weights of a variation sum to what no variation of scales, PDFs or showers can change."""


def sum_of_weights(dataset: Dataset, files: Sequence[FileFacts], manifests: Sequence[Manifest]) -> float:
    """The sum of weights of all generated events of a simulated dataset, after checking that it is complete.

    Args:
        dataset: from the catalogue.
        files: facts of each of its files.
        manifests: of each of its work units.

    Returns:
        Sum of weights of generated events: of the Runs trees, or, for files without one whose number of generated
        events the catalogue gives, of the events processed. Never of the events that survived a selection.

    Raises:
        ClosureError: with the dataset, the numbers that disagree, and the file.
    """
    by_uuid = _by_uuid(files, manifests)
    for file in files:
        _check_runs_tree(dataset.name, file, by_uuid[file["uuid"]])
    without = [file["path"] for file in files if file["sum_w"] is None]
    promised = dataset.generated_events
    if not without:
        total = float(sum(_known(file["sum_w"] for file in files)))
        generated = sum(_known(file["generated_events"] for file in files))
        source = "the Runs trees count"
    elif promised == FROM_RUNS_TREE:
        raise ClosureError(
            f"dataset {dataset.name}: {without[0]} has no sum of weights in its Runs tree; "
            "give generated_events as a number if the file holds all generated events"
        )
    elif len(without) < len(files):
        raise ClosureError(f"dataset {dataset.name}: {without[0]} has no sum of weights in its Runs tree, others have")
    else:
        total = float(sum(manifest.sum_w for manifest in manifests))
        generated = sum(manifest.events for manifest in manifests)
        source = "the files hold"
    if promised not in (FROM_RUNS_TREE, generated):
        raise ClosureError(
            f"dataset {dataset.name}: the catalogue says {promised} generated events, "
            f"{source} {generated} in {_paths(files)}"
        )
    if not abs(total) > 0:
        raise ClosureError(f"dataset {dataset.name}: the sum of weights of the generated events is {total}")
    return total


def _by_uuid(files: Sequence[FileFacts], manifests: Sequence[Manifest]) -> dict[str, list[Manifest]]:
    """The manifests of each file."""
    result: dict[str, list[Manifest]] = {file["uuid"]: [] for file in files}
    for manifest in manifests:
        result[manifest.uuid].append(manifest)
    return result


def _known(values: Iterable[Number | None]) -> list[Number]:
    """The values that are known, in order."""
    return [value for value in values if value is not None]


def _paths(files: Sequence[FileFacts]) -> str:
    return ", ".join(file["path"] for file in files[:5]) + (", ..." if len(files) > 5 else "")


def _check_runs_tree(dataset: str, file: FileFacts, manifests: Sequence[Manifest]) -> None:
    """What can be known of a file alone: it cannot hold more events than were generated, and where it holds all of
    them, their weights add up to the sum of the Runs tree."""
    count, total = file["generated_events"], file["sum_w"]
    if count is None or total is None:
        return
    events = sum(manifest.events for manifest in manifests)
    if events > count:
        raise ClosureError(f"dataset {dataset}: {file['path']} has {events} events, its Runs tree counts {count}")
    found = float(sum(manifest.sum_w for manifest in manifests))
    squares = float(sum(manifest.sum_w2 for manifest in manifests))
    # genWeight is in single precision; sqrt(n sum w^2) is no less than the sum of |w|. NaN is refused, too.
    if events == count and not abs(found - total) <= WEIGHT_PRECISION * sqrt(events * squares):
        raise ClosureError(
            f"dataset {dataset}: the weights of the events in {file['path']} add up to {found:.10g}, "
            f"its Runs tree says {total:.10g}"
        )


def is_whole(files: Sequence[FileFacts], manifests: Sequence[Manifest]) -> bool:
    """Whether the files hold all generated events, so that sums over the events processed are those of all."""
    counted = _known(file["generated_events"] for file in files)
    return len(counted) < len(files) or sum(counted) == sum(manifest.events for manifest in manifests)


def generator_norms(dataset: Dataset, files: Sequence[FileFacts], manifests: Sequence[Manifest]) -> dict[str, float]:
    """Sum of weights of all generated events in each variation of the generator's weights, relative to nominal.

    Args:
        dataset: from the catalogue, checked by `sum_of_weights`.
        files: facts of each of its files.
        manifests: of each of its work units.

    Returns:
        variation -> ratio, from the Runs trees where all have it, else from the events processed.

    Raises:
        ClosureError: a variation has no sum: a file was skimmed, and its Runs tree does not have it; or the sums of the
            Runs trees are not those of the events, which are all there.
        GeneratorNormError: the sum of a variation is outside `NORMS`, or that of up and down outside `MEANS`.
    """
    if not dataset.generator_weights.kinds:
        return {}
    by_uuid = _by_uuid(files, manifests)
    for file in files:
        _check_norms_of_file(dataset, file, by_uuid[file["uuid"]])
    whole = is_whole(files, manifests)
    counted = [dict(file["variation_sums"]) for file in files]
    result: dict[str, float] = {}
    for name in dataset.generator_weights.variations:
        processed = _ratio(sum(m.variation_sums[name] for m in manifests), sum(m.sum_w for m in manifests))
        # A file of no generated events has no sums and needs none.
        without = [f["path"] for f, sums in zip(files, counted, strict=True) if name not in sums and f["sum_w"] != 0]
        if not without:
            ratio = _ratio(sum(sums.get(name, 0.0) for sums in counted), sum(_known(file["sum_w"] for file in files)))
            if whole and not abs(ratio - processed) <= RUNS_TOLERANCE * abs(ratio):
                raise ClosureError(
                    f"dataset {dataset.name}: the Runs trees say that the weights {name} sum to {ratio:.6g} of "
                    f"nominal, the events, which are all there, to {processed:.6g}"
                )
        elif whole:
            ratio = processed
        else:
            raise ClosureError(
                f"dataset {dataset.name}: {without[0]} does not hold all generated events, and its Runs tree has no "
                f"sum of the weights {name}: take them out of generator_weights"
            )
        result[name] = ratio
    _check_norms(f"dataset {dataset.name}: {_paths(files)}", result)
    return result


def _check_norms_of_file(dataset: Dataset, file: FileFacts, manifests: Sequence[Manifest]) -> None:
    """The sums of one file: a wrong one would hide among those of many."""
    where, asked = f"dataset {dataset.name}: {file['path']}", dataset.generator_weights.variations
    runs = dict(file["variation_sums"])
    counted = {name: runs[name] for name in asked if name in runs}
    sum_w, sum_w2 = file["sum_w"], file["sum_w2"]
    if counted and sum_w is not None and sum_w2 is not None and sum_w**2 > JUDGED * sum_w2:
        _check_norms(f"{where}: Runs tree", {name: _ratio(total, sum_w) for name, total in counted.items()})
    nominal, squares = fsum(manifest.sum_w for manifest in manifests), fsum(manifest.sum_w2 for manifest in manifests)
    if nominal**2 > JUDGED * squares:
        sums = {name: fsum(manifest.variation_sums[name] for manifest in manifests) for name in asked}
        _check_norms(f"{where}: events", {name: _ratio(total, nominal) for name, total in sums.items()})


def _check_norms(where: str, norms: dict[str, float]) -> None:
    for name, norm in norms.items():
        if not NORMS[0] <= norm <= NORMS[1]:
            raise GeneratorNormError(
                f"{where}: the weights {name} sum to {norm:.6g} of nominal, not {NORMS[0]:g} to {NORMS[1]:g}"
            )
    for name in (name for name in norms if name.endswith("_up")):
        up, down = norms[name], norms[f"{name.removesuffix('up')}down"]
        if not MEANS[0] <= sqrt(up * down) <= MEANS[1]:
            raise GeneratorNormError(
                f"{where}: the weights {name} and down sum to {up:.6g} and {down:.6g} of nominal, their geometric mean "
                f"is not {MEANS[0]:g} to {MEANS[1]:g}"
            )


def _ratio(varied: float, nominal: float) -> float:
    return varied / nominal if nominal else float("nan")


def pileup_profile(files: Sequence[FileFacts], manifests: Sequence[Manifest]) -> list[float] | None:
    """Sums of weights of all generated events by true interactions, 0-1, 1-2 ...; None where files were skimmed."""
    if not is_whole(files, manifests):
        return None
    profiles = [manifest.pileup_profile for manifest in manifests]
    return [fsum(column) for column in zip_longest(*profiles, fillvalue=0.0)] or None


def check_complete(dataset: str, files: Sequence[FileFacts], manifests: Sequence[Manifest]) -> None:
    """Every entry of every file was read exactly once.

    Raises:
        ClosureError: names the file and the entries.
    """
    by_uuid: dict[str, list[Manifest]] = {file["uuid"]: [] for file in files}
    for manifest in manifests:
        if manifest.uuid not in by_uuid:
            raise ClosureError(f"dataset {dataset}: {manifest.file} was processed, but is not in the catalogue")
        by_uuid[manifest.uuid].append(manifest)
    for file in files:
        done = 0
        for manifest in sorted(by_uuid[file["uuid"]], key=lambda entry: entry.start):
            if manifest.start != done or manifest.events != manifest.stop - manifest.start:
                raise ClosureError(
                    f"dataset {dataset}: {file['path']}: entries {manifest.start} to {manifest.stop} "
                    f"were read as {manifest.events} events after {done} others"
                )
            done = manifest.stop
        if done != file["events"] or not by_uuid[file["uuid"]]:
            raise ClosureError(f"dataset {dataset}: {file['path']} has {file['events']} events, {done} were processed")
