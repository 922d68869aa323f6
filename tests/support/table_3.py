"""Table 3 of the paper (section 6), transcribed line by line, on values of events and with none of the code's words.

'<' is read as '<=': an event on an edge is counted once.
"""

from typing import Any

import numpy as np


def fulfilled(n_jets: Any, m: Any, s: Any, x: Any) -> dict[str, Any]:
    """Row -> whether events fulfil it.

    Args:
        n_jets: N(jets).
        m: m(l1,SV) in GeV.
        s: score.
        x: threshold.
    """
    n_jets, m, s = np.asarray(n_jets), np.asarray(m, dtype=np.float64), np.asarray(s, dtype=np.float64)
    return {
        "SR-A": (n_jets == 1) & (s > x) & (m > 50) & (m <= 85),
        "SR-B": (n_jets == 1) & (s > 0.2) & (s <= x) & (m > 50) & (m <= 85),
        "SR-C": (n_jets == 1) & (s > x) & ((m > 10) & (m <= 50) | (m > 85)),
        "SR-D": (n_jets == 1) & (s > 0.2) & (s <= x) & ((m > 10) & (m <= 50) | (m > 85)),
        "VR-AB": (n_jets > 1) & (s > 0.2) & (m > 50) & (m <= 85),
        "VR-CD": (n_jets > 1) & (s > 0.2) & ((m > 10) & (m <= 50) | (m > 85)),
        "CR-A": (n_jets >= 1) & (s > x) & (m > 85) & (m <= 110),
        "CR-B": (n_jets >= 1) & (s > 0.2) & (s <= x) & (m > 85) & (m <= 110),
        "CR-C": (n_jets >= 1) & (s > x) & ((m > 10) & (m <= 50) | (m > 110)),
        "CR-D": (n_jets >= 1) & (s > 0.2) & (s <= x) & ((m > 10) & (m <= 50) | (m > 110)),
    }


def region(kind: str, n_jets: Any, m: Any, s: Any, x: Any = 1.0) -> Any:
    """Number of the row among those of SR, VR or CR that an event fulfils; -1 for none."""
    rows = [mask for name, mask in fulfilled(n_jets, m, s, x).items() if name.startswith(kind)]
    return np.select(rows, range(len(rows)), -1)
