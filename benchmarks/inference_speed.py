"""Time of fits and limits of the full model (48 cells, 192 counts), against the targets in docs/statistics.md.

    python benchmarks/inference_speed.py [--pyhf]

Medians of some repetitions, one process. Exit status 1 if a fit takes more than 0.5 s, or a limit more than 30 s.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hnl.inference import asymptotics, fits, pyhf_model, toys

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
import search_models

MOST = {"fit, mu free, with errors": 0.5, "limit, observed and expected": 30.0}


def median(function: Callable[[], object], repeat: int) -> float:
    """Median time in seconds."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyhf", action="store_true", help="also one hypothesis test by pyhf and Minuit (minutes)")
    model = search_models.full(mu=1)
    result = fits.fit(model)
    print(f"{len(model.cells)} cells, {4 * len(model.cells)} counts, {len(result.parameters)} parameters")
    work: dict[str, tuple[Callable[[], object], int]] = {
        "fit, mu free, with errors": (lambda: fits.fit(model), 7),
        "CLs at one mu": (lambda: asymptotics.cls(model, 1.0), 7),
        "limit, observed and expected": (lambda: asymptotics.upper_limit(model), 3),
        "impacts": (lambda: fits.impacts(model), 1),
        "CLs by 10 000 toys": (lambda: toys.cls(model, 1.0), 1),
    }
    if parser.parse_args().pyhf:
        work["pyhf and Minuit: CLs at one mu"] = (lambda: pyhf_model.Reference(model).cls(1.0), 1)
    bad = False
    for name, (function, repeat) in work.items():
        took = median(function, repeat)
        bad |= took > MOST.get(name, float("inf"))
        print(f"{name:<32} {took:8.3f} s", flush=True)
    sys.exit(int(bad))


if __name__ == "__main__":
    main()
