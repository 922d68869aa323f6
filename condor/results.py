"""Results of jobs: ITEM.zip with parts and manifests, and the reasons for missing ones."""

import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path

from hnl import provenance, records
from hnl.datasets import remote
from hnl.datasets.files import WorkUnit
from hnl.datasets.settings import Remote
from hnl.errors import HNLError
from hnl.processors import parts
from hnl.processors.manifests import Manifest
from hnl.processors.parts import Part

REPORT = "failures.json"
VARIED = ".varied.parquet"  # end of the name of a file of varied candidates
LISTS = ".lists.parquet"  # of a file of lists
BAD, FAILURE, TEMPORARY = "bad input", "failed", "temporary"
BROKEN = (zipfile.BadZipFile, OSError, KeyError, TypeError, ValueError, AttributeError, EOFError)


class DamagedError(HNLError):
    """A result was changed since a job wrote it, or belongs to another work unit."""


@dataclass(frozen=True)
class Failure:
    """A missing part: the file, the reason, and the kind (BAD, FAILURE or TEMPORARY)."""

    file: str
    reason: str
    kind: str


@dataclass(frozen=True)
class Contents:
    """Contents of the result of an item, by its own list.

    Attributes:
        name: path or URL of the file.
        units: names of work units with a part.
        failures: by work unit.
        damage: '' or what is wrong with all of it.
        archive: the file itself, which was fetched once.
    """

    name: str
    units: set[str] = field(default_factory=set)
    failures: dict[str, Failure] = field(default_factory=dict)
    damage: str = ""
    archive: zipfile.ZipFile | None = None

    def part(self, unit: WorkUnit, fingerprint: str) -> Part:
        """The verified part of a work unit.

        Raises:
            DamagedError: the part is damaged, of another unit, or made by other code or settings.
        """
        where = f"{self.name}, {unit.name}"
        if self.archive is None:
            raise DamagedError(self.damage)
        try:
            manifest = records.from_record(Manifest, json.loads(self.archive.read(f"{unit.name}.json")))
            parquet = self.archive.read(f"{unit.name}.parquet")
            varied, lists = (self.archive.read(f"{unit.name}{ending}") for ending in (VARIED, LISTS))
        except BROKEN as error:
            raise DamagedError(f"{where} is damaged: {error}") from error
        for key, expected in parts.identity(unit, fingerprint, parquet, varied, lists).items():
            if (stated := getattr(manifest, key)) != expected:
                raise DamagedError(f"{where}: {key} is {stated}, not {expected}")
        return Part(manifest, parquet, varied, lists)


def pack(done: Iterable[tuple[str, Part]], failures: dict[str, Failure]) -> bytes:
    """The content of ITEM.zip."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, part in done:
            archive.writestr(zipfile.ZipInfo(f"{name}.parquet"), part.parquet)  # compressed already
            archive.writestr(zipfile.ZipInfo(f"{name}{VARIED}"), part.varied)
            archive.writestr(zipfile.ZipInfo(f"{name}{LISTS}"), part.lists)
            manifest = json.dumps(records.as_record(part.manifest), allow_nan=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.json"), manifest, zipfile.ZIP_DEFLATED)
        report = {name: asdict(failure) for name, failure in failures.items()}
        archive.writestr(zipfile.ZipInfo(REPORT), json.dumps(report), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@dataclass(frozen=True)
class Results:
    """The place of the results of jobs: a folder or a URL."""

    place: str
    remote: Remote

    def items(self) -> set[str]:
        """Items with a result."""
        if not remote.is_remote(self.place):
            return {path.stem for path in Path(self.place).glob("*.zip") if path.stat().st_size}

        def request(url: str) -> set[str]:
            system, path = remote.system(url, self.remote)
            return {Path(name).stem for name in system.ls(path, detail=False) if str(name).endswith(".zip")}

        try:
            return remote.ask(self.place, [self.place], self.remote, request)
        except remote.AbsentError:  # no job has made it yet
            return set()

    def save(self, item: str, content: bytes) -> None:
        """Writes the result of an item: all of it, or nothing under its name.

        Raises:
            OutputError, RemoteFileError: the result cannot be written.
        """
        if not remote.is_remote(self.place):
            provenance.write_bytes(Path(self.place) / f"{item}.zip", content)
            return

        def request(url: str) -> None:
            system, path = remote.system(url, self.remote)
            system.makedirs(path, exist_ok=True)
            with system.open(f"{path}/{item}.tmp", "wb") as file:
                file.write(content)
            if system.exists(f"{path}/{item}.zip"):
                system.rm_file(f"{path}/{item}.zip")
            system.mv(f"{path}/{item}.tmp", f"{path}/{item}.zip")

        remote.ask(self.place, [self.place], self.remote, request)

    def contents(self, item: str) -> Contents:
        """Contents of the result of an item; `Contents.part` verifies what is taken from it."""
        name = f"{self.place}/{item}.zip"
        try:
            archive = zipfile.ZipFile(BytesIO(self._read(name)))
            names = set(archive.namelist())
            report = json.loads(archive.read(REPORT))
            units = {unit for unit in (n.removesuffix(".json") for n in names) if f"{unit}.parquet" in names}
            failures = {unit: Failure(**failure) for unit, failure in report.items()}
        except BROKEN as error:
            return Contents(name, damage=f"{name} is damaged: {error}")
        return Contents(name, units, failures, archive=archive)

    def _read(self, name: str) -> bytes:
        if not remote.is_remote(name):
            return Path(name).read_bytes()

        def request(url: str) -> bytes:
            system, path = remote.system(url, self.remote)
            return bytes(system.cat_file(path, 0, None))  # fsspec-xrootd has no default for the whole file

        return remote.ask(name, [name], self.remote, request)
