"""What is said beside exported models: the limit, its method and the commands of other programs."""

import pytest

from hnl.inference import combine, exported_limits
from hnl.inference.model import Cell, Model
from hnl.inference.results import StrengthLimit
from hnl.inference.strength_limits import strength_limit

MODEL = Model((Cell("ee_OS", 0, (4, 60, 50, 600), (3, 0.1, 0, 0)),), {"ee_OS": 1.25})


def limit(method: str, observed: float | None) -> StrengthLimit:
    return StrengthLimit(observed, (0.5, 1, 2, 3, 4), method, False, 0, None, (), 5.0, "m", error=0.03)


@pytest.mark.parametrize(
    ("method", "observed", "in_combine", "in_pyhf"),
    [
        (
            "lhc",
            1.5,
            "combine -M HybridNew --LHCmode LHC-limits m_combine.txt",
            "pyhf cls --calctype toybased --test-poi 1.5 m_pyhf.json",
        ),
        (
            "lhc",
            None,
            "combine -M HybridNew --LHCmode LHC-limits m_combine.txt --expectedFromGrid=0.5",
            "pyhf cls --calctype toybased --test-poi 2 m_pyhf.json",
        ),
        ("asymptotic", 1.5, "combine -M AsymptoticLimits m_combine.txt", "pyhf cls --test-poi 1.5 m_pyhf.json"),
        ("hybrid", 1.5, "not in Combine", "not in pyhf"),
    ],
)
def test_commands(method: str, observed: float | None, in_combine: str, in_pyhf: str) -> None:
    assert exported_limits.commands(limit(method, observed)) == (in_combine, in_pyhf)


def test_a_card_names_its_limit_and_is_the_same_model(tmp_path) -> None:
    found = strength_limit("m", MODEL, tmp_path, method="asymptotic")
    text = (tmp_path / "m_combine.txt").read_text()
    assert text.startswith(f"# limit on mu at 95 % CLs: {found.observed:.4g}, observed, by asymptotic: ")
    assert combine.read(text) == MODEL
    assert (tmp_path / "m_pyhf.json").exists()


def test_the_readme_has_a_row_for_each_model() -> None:
    rows = exported_limits.readme([limit("lhc", 1.5), limit("hybrid", None)]).splitlines()[-2:]
    assert rows[0].startswith("| m | lhc | 1.5 +- 3.0 %, observed | `combine -M HybridNew")
    assert rows[1].startswith("| m | hybrid | 2 +- 3.0 %, median expected | ")
