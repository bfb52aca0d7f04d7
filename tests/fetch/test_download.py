"""Files fetched from a server that breaks off, forgets, refuses, or has something else."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fetch.file_server import LAST_MODIFIED, Behaviour, serving

from escape_score.errors import DownloadFailedError, OutputUnwritableError
from escape_score.store import download as downloads
from escape_score.store.download import CHUNK_BYTES, ORIGIN, PART, Download, OnBytes, discard, download

CONTENT = bytes(range(256)) * 4096
MB = 1024**2
N_HALF = len(CONTENT) // 2


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour(CONTENT)


@pytest.fixture
def url(behaviour: Behaviour) -> Iterator[str]:
    with serving(behaviour) as address:
        yield f"{address}/file.gz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "folder"
    found.mkdir()
    return found


def quietly(done: int, total: int | None) -> None:
    """Show no progress."""


def fetch(folder: Path, *urls: str, max_bytes: int = 2 * MB, on_bytes: OnBytes = quietly) -> Download:
    return download(urls, folder, max_bytes=max_bytes, on_bytes=on_bytes)


def interrupt(done: int, total: int | None) -> None:
    """What Ctrl-C does after half of the file."""
    if done > N_HALF:
        raise KeyboardInterrupt


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/file.gz"


def test_file_is_fetched_with_its_state_and_progress(behaviour: Behaviour, url: str, folder: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    found = fetch(folder, url, on_bytes=lambda done, total: seen.append((done, total)))
    assert found == Download(folder / PART, url, behaviour.etag, len(CONTENT))
    assert found.path.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    ((_, headers),) = behaviour.requests
    assert headers["Accept-Encoding"] == "identity"
    assert headers["User-Agent"].startswith("escape-score/")
    discard(folder)
    discard(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("has_etag", [True, False])
def test_broken_transfer_goes_on_where_it_ended(
    has_etag: bool, behaviour: Behaviour, url: str, folder: Path
) -> None:
    behaviour.cuts, behaviour.has_etag = [N_HALF], has_etag
    assert fetch(folder, url).path.read_bytes() == CONTENT
    first, second = behaviour.requests
    assert "Range" not in first[1]
    start = int(second[1]["Range"].removeprefix("bytes=").removesuffix("-"))
    assert N_HALF - CHUNK_BYTES <= start <= N_HALF
    assert second[1]["If-Range"] == (behaviour.etag if has_etag else LAST_MODIFIED)


def test_transfer_goes_on_in_a_later_call(behaviour: Behaviour, url: str, folder: Path) -> None:
    behaviour.cuts = [N_HALF // 2] * 3
    with pytest.raises(DownloadFailedError, match=rf"{url}: cannot be fetched \(the transfer broke off\)"):
        fetch(folder, url)
    assert 0 < (folder / PART).stat().st_size < len(CONTENT)
    n_before = len(behaviour.requests)
    assert fetch(folder, url).path.read_bytes() == CONTENT
    assert behaviour.ranges[n_before] is not None


def test_interruption_leaves_the_part(behaviour: Behaviour, url: str, folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fetch(folder, url, on_bytes=interrupt)
    assert (folder / PART).stat().st_size > N_HALF
    assert fetch(folder, url).path.read_bytes() == CONTENT
    assert behaviour.ranges[1] == f"bytes={N_HALF + CHUNK_BYTES}-"


def test_whole_part_is_not_fetched_again(behaviour: Behaviour, url: str, folder: Path) -> None:
    first = fetch(folder, url)
    assert fetch(folder, url) == first
    assert behaviour.ranges == [None, f"bytes={len(CONTENT)}-"]
    assert first.path.read_bytes() == CONTENT


@pytest.mark.parametrize("why", ["no ranges", "another state", "other part", "origin damaged", "weak etag"])
def test_part_that_cannot_go_on_is_fetched_anew(
    why: str, behaviour: Behaviour, url: str, folder: Path
) -> None:
    if why == "weak etag":
        behaviour.has_etag = False
    with pytest.raises(KeyboardInterrupt):
        fetch(folder, f"{url}?other" if why == "other part" else url, on_bytes=interrupt)
    if why == "no ranges":
        behaviour.knows_ranges = False
    if why == "another state":
        behaviour.content = CONTENT[::-1]
    if why == "origin damaged":
        (folder / ORIGIN).write_text("{", encoding="utf-8")
    if why == "weak etag":
        text = (folder / ORIGIN).read_text(encoding="utf-8")
        weak = text.replace('"etag": ""', '"etag": "W/1"').replace(LAST_MODIFIED, "")
        (folder / ORIGIN).write_text(weak, encoding="utf-8")
    assert fetch(folder, url).path.read_bytes() == behaviour.content


def test_answer_with_another_part_is_not_taken(behaviour: Behaviour, url: str, folder: Path) -> None:
    behaviour.cuts, behaviour.skips = [N_HALF], [7]
    assert fetch(folder, url).path.read_bytes() == CONTENT
    assert len(behaviour.requests) == 3


def test_part_that_is_longer_than_the_file_is_fetched_anew(
    behaviour: Behaviour, url: str, folder: Path
) -> None:
    behaviour.has_etag = False
    fetch(folder, url)
    behaviour.content = CONTENT[:N_HALF]
    assert fetch(folder, url).path.read_bytes() == CONTENT[:N_HALF]


def test_server_without_ranges_is_asked_until_it_sends_all(
    behaviour: Behaviour, url: str, folder: Path
) -> None:
    behaviour.cuts, behaviour.knows_ranges = [N_HALF, CHUNK_BYTES], False
    assert fetch(folder, url).path.read_bytes() == CONTENT
    assert len(behaviour.requests) == 3


def test_file_without_a_length_is_fetched(behaviour: Behaviour, url: str, folder: Path) -> None:
    behaviour.sends_length = False
    seen: list[int | None] = []
    found = fetch(folder, url, on_bytes=lambda done, total: seen.append(total))
    assert found.path.read_bytes() == CONTENT
    assert set(seen) == {None}


@pytest.mark.parametrize("sends_length", [True, False])
def test_file_that_is_too_large_is_refused_and_not_kept(
    sends_length: bool, behaviour: Behaviour, url: str, folder: Path
) -> None:
    behaviour.sends_length = sends_length
    with pytest.raises(DownloadFailedError, match=r"MB or more, at most 0 MB are fetched\); if the size"):
        fetch(folder, url, max_bytes=len(CONTENT) // 4)
    assert list(folder.iterdir()) == []
    assert len(behaviour.requests) == 1


@pytest.mark.parametrize(("status", "n_tries"), [(500, 3), (503, 3), (429, 3), (404, 1), (403, 1)])
def test_refusal_is_named_and_tried_again_only_where_it_may_pass(
    status: int, n_tries: int, behaviour: Behaviour, url: str, folder: Path
) -> None:
    behaviour.status_of = {"/file.gz": status}
    with pytest.raises(DownloadFailedError) as caught:
        fetch(folder, url)
    (line,) = caught.value.lines
    assert line.startswith(f"{url}: cannot be fetched ({status} ")
    assert line.endswith("give it with --from FILE")
    assert len(behaviour.requests) == n_tries
    assert caught.value.exit_code == 3


def test_fault_that_passes_is_not_reported(behaviour: Behaviour, url: str, folder: Path) -> None:
    behaviour.statuses = [500, 503]
    assert fetch(folder, url).path.read_bytes() == CONTENT


def test_next_address_is_tried_and_its_part_first_later(behaviour: Behaviour, url: str, folder: Path) -> None:
    behaviour.status_of = {"/gone": 404}
    gone = url.replace("/file.gz", "/gone")
    assert fetch(folder, gone, url).url == url
    assert fetch(folder, gone, url).url == url
    assert [path for path, _ in behaviour.requests] == ["/gone", "/file.gz", "/file.gz"]


def test_all_addresses_are_in_one_line(behaviour: Behaviour, url: str, folder: Path) -> None:
    behaviour.status_of = {"/file.gz": 404}
    closed = closed_port()
    with pytest.raises(DownloadFailedError) as caught:
        fetch(folder, closed, url)
    assert caught.value.lines == (
        f"{closed}: cannot be fetched (no connection to the server), nor from {url} (404 Not Found); "
        "check the network, or fetch the file elsewhere and give it with --from FILE",
    )


def test_name_that_is_not_found_is_reported_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def unknown(*arguments: object, **_: object) -> None:
        calls.append(arguments)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(
        DownloadFailedError, match=r"\(the name of the server is not found\); check the network"
    ):
        fetch(folder, "http://hub.invalid/file.gz")
    assert len(calls) == 1


def test_server_that_does_not_answer_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "TIMEOUT_S", (5.0, 0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file.gz"
        with pytest.raises(DownloadFailedError, match="does not answer in time"):
            fetch(folder, url)


def test_secure_address_of_a_server_without_tls(url: str, folder: Path) -> None:
    with pytest.raises(DownloadFailedError, match=r"\(no secure connection\); set REQUESTS_CA_BUNDLE"):
        fetch(folder, url.replace("http://", "https://"))


def test_missing_file_of_certificates(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "none.pem"))
    with pytest.raises(DownloadFailedError, match="the file of certificates is not found"):
        fetch(folder, url.replace("http://", "https://"))


def test_proxy_is_used(behaviour: Behaviour, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", url.removesuffix("/file.gz"))
    assert fetch(folder, "http://hub.invalid/file.gz").path.read_bytes() == CONTENT
    assert [path for path, _ in behaviour.requests] == ["http://hub.invalid/file.gz"]


def test_proxy_that_does_not_answer_is_named_without_its_password(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", closed_port().replace("http://", "http://user:secret@"))
    with pytest.raises(DownloadFailedError) as caught:
        fetch(folder, "http://hub.invalid/file.gz")
    (line,) = caught.value.lines
    assert "(the proxy does not answer or refuses); check HTTPS_PROXY, HTTP_PROXY and NO_PROXY" in line
    assert "secret" not in line
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert fetch(folder, url).path.read_bytes() == CONTENT


def test_full_disk_is_reported_and_the_part_goes_on_later(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual: Callable[..., object] = Path.open

    def full(path: Path, mode: str = "r", *arguments: object, **options: object) -> object:
        is_part = path.name == PART and mode == "ab"
        return usual(Path("/dev/full") if is_part else path, mode, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(
            OutputUnwritableError, match=r"cannot be written .No space left on device.*free space"
        ):
            fetch(folder, url)
    assert fetch(folder, url).path.read_bytes() == CONTENT
