"""The templates of catalogues that come with the package: text to be copied and completed, see `docs/catalogue.md`."""

from pathlib import Path

from hnl.errors import InputError

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Names of the eras that have templates, in order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def text(name: str) -> str:
    """The template of an era.

    Raises:
        InputError: the era has no template.
    """
    if name not in names():
        raise InputError(f"no template is called {name!r}; there are {', '.join(names())}")
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
