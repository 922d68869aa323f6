"""What is known of files that were opened before, so that a hundred thousand need not be opened again for every plan.

An entry holds as long as the file has the same size and time of change (over the network: what its server says of them)
and the same is asked of it. A worker still compares UUID and number of entries with the file that it opens.
"""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from hnl import dependencies, provenance
from hnl.datasets import files, remote, trigger_bits
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.files import FileInfo
from hnl.datasets.nanoaod import Needs
from hnl.errors import InputError

FORMAT = 2  # of the file; raised when its meaning changes
CODE = ("hnl.datasets.files",)  # what looks into files
_SHARED = ("branches", "missing")  # lists of names, the same in thousands of files
_OWN = tuple(field.name for field in fields(FileInfo) if field.name not in _SHARED)


class Index:
    """What is known of files.

    Args:
        path: of the index; it is empty where there is none, or one that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[tuple[str, str], tuple[str, FileInfo]] = {}
        self._changed = False
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] == FORMAT:
                infos = unpack(content)
                self._known = {
                    (request, info.path): (signature, info)
                    for (request, signature), info in zip(content["known"], infos, strict=True)
                }
        except (OSError, ValueError, KeyError, TypeError):
            pass  # all files are opened again

    def get(self, request: str, path: str, signature: str) -> FileInfo | None:
        """What is known of a file if it is still the same."""
        found = self._known.get((request, path))
        return found[1] if found and found[0] == signature else None

    def add(self, request: str, signature: str, info: FileInfo) -> None:
        """Notes what a file is."""
        self._known[request, info.path] = signature, info
        self._changed = True

    def save(self) -> None:
        """Writes the index if there is anything new."""
        if not self._changed:
            return
        entries = sorted(
            self._known.items(), key=lambda entry: entry[0]
        )  # files are opened at the same time: their order is not that of the list
        known = [(request, signature) for (request, _), (signature, _) in entries]
        content = {"format": FORMAT, "known": known, **pack(info for _, (_, info) in entries)}
        provenance.write_text(self.path, json.dumps(content, allow_nan=False))
        self._changed = False


def request_digest(dataset: Dataset, catalogue: Catalogue, needs: Needs = Needs()) -> str:  # noqa: B008 (frozen)
    """Hash of what `files.inspect` depends on, besides the file."""
    era = catalogue.era(dataset)
    asked: list[Any] = [dataset.kind, dataset.generator_weights.model_dump(), era.year, era.triggers.paths]
    asked += [era.corrections.jets.model_dump(mode="json") if era.corrections.jets else None, astuple(needs)]
    return provenance.digest([asked, dependencies.digest(CODE)])[:16]


def signature_of(path: str, catalogue: Catalogue) -> str:
    """Size and times of change of a file; '' for a local one that is not there.

    Of local files with the time that nobody can set (ctime) and the inode: a copy that keeps size and date is seen.

    Raises:
        RemoteFileError: its server does not give it.
    """
    if remote.is_remote(path):
        return remote.signature(path, catalogue.remote)
    try:
        found = Path(path).stat()
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def pack(infos: Iterable[FileInfo]) -> dict[str, Any]:
    """Files in a form for JSON, in which the names of branches stand once."""
    layouts: dict[tuple[tuple[str, ...], ...], int] = {}
    packed = []
    for info in infos:
        layout = layouts.setdefault((info.branches, info.missing), len(layouts))
        packed.append([*(getattr(info, name) for name in _OWN), layout])
    return {"layouts": list(layouts), "files": packed}


def unpack(content: dict[str, Any]) -> list[FileInfo]:
    """The opposite of `pack`."""
    layouts = [{name: tuple(one) for name, one in zip(_SHARED, layout, strict=True)} for layout in content["layouts"]]
    infos = []
    for *values, layout in content["files"]:
        facts = dict(zip(_OWN, values, strict=True))
        facts["variation_sums"] = tuple((name, value) for name, value in facts["variation_sums"])
        facts["trigger_bits"] = facts["trigger_bits"] and trigger_bits.from_json(facts["trigger_bits"])
        infos.append(FileInfo(**facts, **layouts[layout]))
    return infos


def inspect_all(
    catalogue: Catalogue,
    known: Index | None = None,
    needs: Needs = Needs(),  # noqa: B008 (frozen)
    threads: int = 16,
) -> list[tuple[Dataset, FileInfo | InputError]]:
    """`files.inspect` for every file of the catalogue, in its order; errors are returned, not raised.

    Args:
        catalogue: the catalogue.
        known: what is known already, and is added to (`save` it); its files are not opened if they are the same.
        needs: what the search reads of each.
        threads: opening a file is mostly waiting, at least over the network.
    """

    def inspected(job: tuple[Dataset, str, str]) -> tuple[Dataset, FileInfo | InputError]:
        dataset, request, path = job
        try:
            signature = signature_of(path, catalogue) if known else ""
            if known and signature and (found := known.get(request, path, signature)):
                return dataset, found
            info = files.inspect(path, dataset, catalogue.era(dataset), catalogue.remote, needs)
            if known:
                known.add(request, signature, info)
            return dataset, info
        except InputError as error:
            return dataset, error

    jobs = [
        (dataset, request, path)
        for dataset in catalogue.datasets
        for request in (request_digest(dataset, catalogue, needs),)
        for path in dataset.files
    ]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(inspected, jobs))
