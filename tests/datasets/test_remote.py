"""Files over the network: what is tried again, where else, and what is not."""

import time
from pathlib import Path
from zlib import adler32

import pytest
from chain import NAME, catalogue_of, plain, same_candidates
from nanoaod_events import event, write
from web import serving

from hnl.datasets import files, remote
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.remote import AbsentError, AccessDeniedError, UnreachableError, Verdict, places, verdict
from hnl.datasets.settings import Remote
from hnl.processors.displaced.processor import DisplacedProcessor

QUICK = Remote(timeout=1, attempts=4, wait=1.0)


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which are not waited for here."""
    taken: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", taken.append)
    monkeypatch.setattr(remote.random, "uniform", lambda low, high: 1.0)
    return taken


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    write(tmp_path / "sample.root", [event(i, same_sign=i % 2 == 0) for i in range(1, 9)])
    return tmp_path / "sample.root"


def read(path: str, settings: Remote = QUICK) -> files.FileInfo:
    catalogue = with_settings(path, settings)
    dataset = catalogue.datasets[0]
    return files.inspect(path, dataset, catalogue.era(dataset), settings)


def with_settings(path: str, settings: Remote) -> Catalogue:
    one = catalogue_of(Path("x"))
    dataset = one.datasets[0].model_copy(update={"files": (path,)})
    return one.model_copy(update={"datasets": (dataset,), "remote": settings})


def candidates(path: str, settings: Remote = QUICK) -> dict[str, object]:
    catalogue = with_settings(path, settings)
    (unit,) = files.work_units(NAME, read(path, settings))
    return plain(DisplacedProcessor(catalogue).process(files.events(unit, settings))[NAME])


@pytest.mark.parametrize("fault", [None, "503", "drop", "short", "429"])
def test_candidates_are_those_of_the_local_file(sample: Path, sleeps: list[float], fault: str | None) -> None:
    """Every second request fails."""
    expected = candidates(str(sample))
    with serving(sample.parent, lambda n: fault if n % 2 else None) as server:
        found = candidates(f"{server.url}/sample.root")
    same_candidates(found, expected)
    assert found["cutflow"] == expected["cutflow"]
    if fault != "drop":  # aiohttp itself asks again where a connection that it kept was closed
        assert bool(sleeps) == (fault is not None)


def test_a_slow_answer_is_not_waited_for(sample: Path) -> None:
    begun = time.monotonic()
    with serving(sample.parent, lambda n: "slow" if n == 0 else None) as server:
        info = read(f"{server.url}/sample.root", Remote(timeout=1, attempts=2, wait=0.0))
    assert info.events == 8
    assert time.monotonic() - begun < 2.9  # the server sleeps for 3 s


def test_pauses_grow_and_end_in_an_error_with_the_reason(sample: Path, sleeps: list[float]) -> None:
    with serving(sample.parent, lambda n: "503") as server, pytest.raises(UnreachableError) as caught:
        read(f"{server.url}/sample.root")
    assert sleeps == [1.0, 2.0, 4.0]
    assert f"{server.url}/sample.root: not readable after 4 attempts" in str(caught.value)
    assert "503" in str(caught.value)


def test_a_server_without_ranges_is_an_error(sample: Path, sleeps: list[float]) -> None:
    with (
        serving(sample.parent, lambda n: "whole") as server,
        pytest.raises(UnreachableError, match="bytes came for the range"),
    ):
        read(f"{server.url}/sample.root")


@pytest.mark.parametrize("fault", ["401", "403"])
def test_denied_access_is_final_at_once(sample: Path, sleeps: list[float], fault: str) -> None:
    with (
        serving(sample.parent, lambda n: fault) as server,
        serving(sample.parent) as other,
        pytest.raises(AccessDeniedError, match="denies access"),
    ):
        read(f"{server.url}/sample.root", QUICK.model_copy(update={"redirectors": (other.url,)}))
    assert sleeps == []
    assert server.requests <= 2  # fsspec asks with HEAD, then with GET
    assert other.requests == 0


@pytest.mark.parametrize("fault", ["503", "404", "drop"])
def test_the_second_redirector_is_asked(sample: Path, sleeps: list[float], fault: str) -> None:
    expected = candidates(str(sample))
    with (
        serving(sample.parent, lambda n: fault) as first,
        serving(sample.parent, lambda n: fault) as second,
        serving(sample.parent) as third,
    ):
        settings = QUICK.model_copy(update={"redirectors": (second.url, third.url)})
        found = candidates(f"{first.url}/sample.root", settings)
        assert first.requests > 0
        assert second.requests > 0
    same_candidates(found, expected)
    assert sleeps == []


def test_a_server_that_dies_while_reading_is_replaced(sample: Path, sleeps: list[float]) -> None:
    expected = candidates(str(sample))
    with serving(sample.parent, lambda n: "drop" if n > 3 else None) as first, serving(sample.parent) as second:
        found = candidates(f"{first.url}/sample.root", QUICK.model_copy(update={"redirectors": (second.url,)}))
        assert second.requests > 0
    same_candidates(found, expected)


def test_a_server_with_another_file_is_not_taken(sample: Path, sleeps: list[float], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    write(tmp_path / "other" / "sample.root", [event(i) for i in range(100, 150)])
    with (
        serving(sample.parent, lambda n: "drop" if n > 3 else None) as first,
        serving(tmp_path / "other") as second,
        pytest.raises(UnreachableError, match=r"its file has \d+ bytes"),
    ):
        candidates(f"{first.url}/sample.root", QUICK.model_copy(update={"redirectors": (second.url,)}))


def test_absent_everywhere_is_final_at_once(tmp_path: Path, sleeps: list[float]) -> None:
    with (
        serving(tmp_path) as first,
        serving(tmp_path) as second,
        pytest.raises(AbsentError, match=r"sample\.root: no such file"),
    ):
        read(f"{first.url}/sample.root", QUICK.model_copy(update={"redirectors": (second.url,)}))
    assert sleeps == []


def test_a_truncated_remote_file_is_refused(sample: Path, sleeps: list[float]) -> None:
    sample.write_bytes(sample.read_bytes()[:-2000])
    with serving(sample.parent) as server, pytest.raises((remote.RemoteFileError, files.FileError), match="truncated"):
        read(f"{server.url}/sample.root")
    assert sleeps == []


def test_signature_changes_with_the_file(sample: Path) -> None:
    with serving(sample.parent) as server:
        before = remote.signature(f"{server.url}/sample.root", QUICK)
        assert before == remote.signature(f"{server.url}/sample.root", QUICK)
        sample.write_bytes(sample.read_bytes() + b" ")
        assert before != remote.signature(f"{server.url}/sample.root", QUICK)


def test_places(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Remote(redirectors=("root://xrootd-cms.infn.it/", "https://door.org", "root://cmsxrootd.fnal.gov"))
    assert places("root://eoscms.cern.ch//store/mc/a.root", settings) == [
        "root://eoscms.cern.ch//store/mc/a.root",
        "root://xrootd-cms.infn.it//store/mc/a.root",
        "root://cmsxrootd.fnal.gov//store/mc/a.root",
    ]
    monkeypatch.setenv("HNL_REDIRECTORS", "root://near.org, root://eoscms.cern.ch")
    assert places("root://eoscms.cern.ch//a.root", settings) == [
        "root://eoscms.cern.ch//a.root",
        "root://near.org//a.root",
    ]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Failed to open file: [ERROR] Server responded with an error: [3010] Unable to give access", Verdict.DENIED),
        ("Failed to open file: [ERROR] Server responded with an error: [3010] Permission denied", Verdict.DENIED),
        ("Failed to open file: [FATAL] Auth failed: No protocols left to try", Verdict.DENIED),
        ("Failed to open file: [FATAL] Auth failed", Verdict.DENIED),
        ("File stat request failed: [ERROR] Server responded with an error: [3030] authentication", Verdict.DENIED),
        ("[ERROR] Server responded with an error: [3011] No such file or directory", Verdict.ABSENT),
        ("[ERROR] Server responded with an error: [3011] Unable to open /a; no such file", Verdict.ABSENT),
        (
            "[ERROR] Server responded with an error: [3011] No servers are available to read the file.",
            Verdict.TEMPORARY,
        ),
        ("[ERROR] Server responded with an error: [3012] Internal error", Verdict.TEMPORARY),
        ("[ERROR] Server responded with an error: [3007] I/O error", Verdict.TEMPORARY),
        ("[ERROR] Operation expired", Verdict.TEMPORARY),
        ("[FATAL] Connection error", Verdict.TEMPORARY),
        ("[FATAL] Redirect limit has been reached", Verdict.TEMPORARY),
        ("[ERROR] Socket timeout", Verdict.TEMPORARY),
        ("Failed to submit <bound method File.open> request: [FATAL] Invalid address", Verdict.TEMPORARY),
    ],
)
def test_messages_of_xrootd(message: str, expected: Verdict) -> None:
    assert verdict(OSError(message)) is expected


def test_verdicts_of_python_errors() -> None:
    assert verdict(PermissionError("x")) is Verdict.DENIED
    assert verdict(FileNotFoundError("x")) is Verdict.ABSENT
    assert verdict(TimeoutError()) is Verdict.TEMPORARY


def test_xrootd_client_gives_up_on_a_dead_server(sleeps: list[float]) -> None:
    """The real client, against a port where nobody listens."""
    pytest.importorskip("fsspec_xrootd")
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1: .*Connection error"):
        read("root://127.0.0.1:1//store/a.root", Remote(timeout=1, attempts=2, wait=0.5))
    assert sleeps == [0.5]


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(remote.RemoteFileError, match="Protocol not known: gopher"):
        read("gopher://host/a.root")


def test_checksum_over_the_network(sample: Path, sleeps: list[float]) -> None:
    expected = f"adler32:{adler32(sample.read_bytes()):08x}"
    with serving(sample.parent, lambda n: "503" if n % 2 else None) as server:
        files.verify(f"{server.url}/sample.root", expected, QUICK)
        with pytest.raises(files.FileError, match="the catalogue says adler32:00000000"):
            files.verify(f"{server.url}/sample.root", "adler32:00000000", QUICK)
        server.fault = lambda n: "503"
        with pytest.raises(UnreachableError):
            files.verify(f"{server.url}/sample.root", expected, QUICK)


def test_checksum_from_another_server(sample: Path) -> None:
    """Where the first one fails, or does not answer in time."""
    expected = f"adler32:{adler32(sample.read_bytes()):08x}"
    for fault in ("503", "short", "slow"):
        with serving(sample.parent, lambda n, f=fault: f if n else None) as first, serving(sample.parent) as second:
            settings = Remote(timeout=1, attempts=1, redirectors=(second.url,))
            files.verify(f"{first.url}/sample.root", expected, settings)
            assert first.requests > 1
            assert second.requests > 0
