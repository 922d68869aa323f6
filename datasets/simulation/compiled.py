"""numba's compiler, with types: functions under ``@compiled`` run as machine code, kept on disk between processes.

numba looks only at a function's own file to see whether its stored code is stale. After a change to helix.py,
draws.py or vertex_fit.py, which other modules' functions contain, delete ``datasets/simulation/__pycache__``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function at its first call, for the types it is called with."""
    return cast("Callable[P, R]", numba.njit(cache=True)(function))
