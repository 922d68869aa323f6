"""The wheel of this package for jobs: the files of the running code, without the demo samples."""

import base64
import hashlib
import os
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import hnl
from hnl import __version__
from hnl.errors import HNLError

LEFT_OUT = ("__pycache__", "demo")  # folders
NAME = f"hnl-{__version__}-py3-none-any.whl"


class WheelError(HNLError):
    """The package cannot be packed."""


def write(folder: Path) -> Path:
    """Packs the running package, whether it is installed or a checkout. Equal files give an equal wheel.

    Args:
        folder: folder of the wheel.

    Returns:
        The wheel.

    Raises:
        WheelError: the package was never installed, so that its metadata are unknown.
    """
    info = f"hnl-{__version__}.dist-info"
    try:
        metadata = distribution("hnl").read_text("METADATA")
    except PackageNotFoundError:
        metadata = None
    if metadata is None:
        raise WheelError("hnl is not installed (a checkout needs pip install --editable), so it cannot be packed")
    content = {name: path.read_bytes() for name, path in _sources()}
    content[f"{info}/METADATA"] = metadata.encode()
    content[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: hnl\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content[f"{info}/entry_points.txt"] = b"[console_scripts]\nhnl = hnl.cli:main\n"
    lines = [f"{name},sha256={_hash(data)},{len(data)}" for name, data in content.items()]
    content[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
    path = folder / NAME
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in content.items():
            wheel.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # ZipInfo: no date, no owner
    return path


def _sources() -> Iterator[tuple[str, Path]]:
    root = Path(hnl.__file__).parent
    for folder, folders, names in os.walk(root, followlinks=True):  # in a checkout the rooms are links
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT and not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                path = Path(folder, name)
                yield str(Path("hnl") / path.relative_to(root)), path


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
