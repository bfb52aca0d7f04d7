"""Public matrices become references of the user: from the first byte to a profile."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.fetch.conftest import FILE, packed
from tests.fetch.file_server import Behaviour

import escape_score as es
from escape_score.cli import main
from escape_score.errors import DownloadFailedError, InputError, OutputUnwritableError, UsageError
from escape_score.pipeline.fetching import LEFT_OUT, fetch_reference, read_record
from escape_score.reference.known import Origin, find_reference
from escape_score.reference.read import forget_references
from escape_score.reference.write import remove_reference
from escape_score.store.download import PART
from escape_score.store.folder_lock import only_writer

Refused = Callable[..., tuple[str, ...]]
WriteSources = Callable[..., Path]


@pytest.fixture(scope="session")
def by_hand(matrix: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The matrix as a file that was fetched by hand."""
    path = tmp_path_factory.mktemp("by-hand") / "matrix.tsv.gz"
    path.write_bytes(matrix)
    return path


def files_of(folder: Path) -> dict[str, str]:
    """All files below a folder with their digests."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found
    }


def nothing_kept(data: Path) -> bool:
    return files_of(data).keys() == {"reference_sources.tsv"}


def test_fetched_reference_is_kept_found_and_used(
    data: Path, behaviour: Behaviour, address: str, by_hand: Path
) -> None:
    fitted = fetch_reference("demo")
    assert (fitted.name, fitted.n_samples, fitted.tumour_type) == ("gdc-demo", 26, "melanoma")
    assert fitted.description == "26 tumours of TCGA-DEMO, fitted together with tcga-coadread-v1"
    notes = fitted.provenance
    digest = hashlib.sha256(behaviour.content).hexdigest()
    assert notes["input 1"] == f"sha256 {digest}, log2(x+1), 26 samples"
    assert notes["address"] == address + FILE
    assert notes["project"] == "TCGA-DEMO"
    assert notes["to cite"] == "made for a test"
    assert notes[LEFT_OUT] == "2 further samples of a patient, 3 normal tissue"
    taken = set(fitted.distributions.sample_ids)
    assert {name[13:15] for name in taken} == {"01", "06"}
    assert len({name[:12] for name in taken}) == len(taken)
    assert not any(name.endswith("B") for name in taken)

    known = find_reference("gdc-demo")
    assert known is not None
    assert known.origin is Origin.FETCHED
    assert es.list_references()[-1] == "gdc-demo"
    text = (known.folder / "reference.json").read_text(encoding="utf-8")
    assert str(data) not in text
    record = json.loads((known.folder.parent / "gdc-demo.source.json").read_text(encoding="utf-8"))
    assert record == {
        "url": address + FILE,
        "sha256": digest,
        "size": len(behaviour.content),
        "etag": behaviour.etag,
    }
    assert list((data / "downloads" / "gdc-demo").iterdir()) == []

    profiles = es.profile(es.read(by_hand, units="log2(x+1)"), reference="gdc-demo").to_frame()
    assert set(profiles["reference"]) == {"gdc-demo"}
    assert len(profiles) == 31
    assert profiles["stroma"].median() == pytest.approx(0, abs=0.3)


def test_reference_that_is_there_is_not_fetched_again(
    data: Path, behaviour: Behaviour, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reference", "fetch", "DEMO"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    first, second = shown.out.splitlines()
    assert first.startswith("gdc-demo: 26 tumours, ")
    assert first.endswith(" genes; use it with --reference gdc-demo")
    assert second == "gdc-demo: samples left out: 2 further samples of a patient, 3 normal tissue"
    before, n_before = files_of(data), len(behaviour.requests)
    assert main(["reference", "fetch", "gdc-demo", "demo"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("gdc-demo: already there, 26 tumours; ")
    assert len(behaviour.requests) == n_before
    assert main(["reference", "fetch", "DEMO", "--refit", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert len(behaviour.requests) == n_before + 1
    assert files_of(data) == before


def test_broken_transfer_gives_the_same_reference(data: Path, behaviour: Behaviour) -> None:
    fetch_reference("DEMO")
    whole = files_of(data)
    remove_reference("gdc-demo")
    n_before, behaviour.cuts = len(behaviour.requests), [len(behaviour.content) // 2]
    fetch_reference("DEMO")
    ranges = behaviour.ranges[n_before:]
    assert ranges[0] is None
    assert ranges[1] is not None
    assert files_of(data) == whole


def test_interrupted_fetch_goes_on(data: Path, behaviour: Behaviour) -> None:
    half = len(behaviour.content) // 2

    def interrupt(step: str, done: int, total: int | None) -> None:
        if done > half:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_reference("DEMO", on_progress=interrupt)
    assert (data / "downloads" / "gdc-demo" / PART).stat().st_size > half
    steps: list[tuple[str, int, int | None]] = []
    assert fetch_reference("DEMO", on_progress=lambda *step: steps.append(step)).n_samples == 26
    assert steps[0][1] > half
    assert steps[-1] == ("fit", 0, None)


def test_next_address_is_used(address: str, write_sources: WriteSources, behaviour: Behaviour) -> None:
    behaviour.status_of = {"/gone": 404}
    write_sources(f"{address}/gone", address + FILE)
    assert fetch_reference("DEMO").provenance["address"] == address + FILE


def test_proxy_of_the_environment_is_used(
    address: str, write_sources: WriteSources, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sources(f"http://hub.invalid{FILE}")
    monkeypatch.setenv("http_proxy", address)
    assert fetch_reference("DEMO").provenance["address"] == f"http://hub.invalid{FILE}"
    assert [path for path, _ in behaviour.requests] == [f"http://hub.invalid{FILE}"]


def wrong(kind: str, table: pd.DataFrame, matrix: bytes) -> bytes:
    """Something else than the matrix."""
    few = table.iloc[:300]
    contents: dict[str, Callable[[], bytes]] = {
        "web page": lambda: b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n",
        "empty": lambda: b"",
        "cut": lambda: matrix[: len(matrix) // 2],
        "damaged": lambda: matrix[:4000] + b"\xff" * 200 + matrix[4200:],
        "symbols": lambda: packed(few.set_axis([f"GENE{i}" for i in range(300)]).rename_axis("Ensembl_ID")),
        "no versions": lambda: packed(few.set_axis([i[:15] for i in few.index]).rename_axis("Ensembl_ID")),
        "first column": lambda: packed(few.rename_axis("sample")),
        "cell lines": lambda: packed(few.set_axis([f"LINE{i}" for i in range(31)], axis=1)),
        "few tumours": lambda: packed(few.iloc[:, :12]),
        "late symbol": lambda: packed(
            pd.concat([few, few.iloc[:1].set_axis(["GENE"])]).rename_axis("Ensembl_ID")
        ),
        "FPKM": lambda: packed((2**table / 4 + 0.75).apply(np.log2)),
        "linear": lambda: packed(2**few - 1),
        "text": lambda: packed(few.astype(str).replace("0.0", "none")),
    }
    return contents[kind]()


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("web page", "a web page (HTML or XML), not a matrix"),
        ("empty", "the file is empty"),
        ("cut", "truncated gzip"),
        ("damaged", "corrupt gzip"),
        ("symbols", "'GENE0': not Ensembl gene ids with a version"),
        ("no versions", "not Ensembl gene ids with a version"),
        ("first column", "the first column is called 'sample', not 'Ensembl_ID'"),
        ("cell lines", "not a barcode of TCGA"),
        ("few tumours", "tumours of 12 patients (sample types 01, 06), at least 20 are expected"),
        ("late symbol", "'GENE': not Ensembl gene ids with a version"),
        ("FPKM", "a sample, not to 1e6"),
        ("linear", "contradicts the numbers"),
        ("text", "none"),
    ],
)
def test_wrong_file_is_refused_and_nothing_is_kept(
    *,
    kind: str,
    problem: str,
    data: Path,
    address: str,
    behaviour: Behaviour,
    public_table: pd.DataFrame,
    matrix: bytes,
    refused: Refused,
    tmp_path: Path,
) -> None:
    behaviour.content = wrong(kind, public_table, matrix)
    (line,) = refused(3, "reference", "fetch", "DEMO")
    assert line.startswith(f"error: {address}{FILE}: not the matrix of TCGA-DEMO: ")
    assert problem in line
    assert line.endswith(
        "; nothing was kept, try again later, or fetch the file elsewhere and give it with --from FILE"
    )
    assert nothing_kept(data)
    file = tmp_path / "file.gz"
    file.write_bytes(behaviour.content)
    lines = refused(3, "reference", "fetch", "DEMO", "--from", file)
    assert lines[0].startswith(f"error: {file}: ")
    assert problem in lines[0]
    assert nothing_kept(data)
    assert file.read_bytes() == behaviour.content


def test_file_that_is_too_large_is_refused(
    address: str, write_sources: WriteSources, matrix: bytes, refused: Refused, by_hand: Path
) -> None:
    data = write_sources(address + FILE, max_mb="1")
    (line,) = refused(3, "reference", "fetch", "DEMO")
    assert "MB or more, at most 1 MB are fetched" in line
    (line,) = refused(3, "reference", "fetch", "DEMO", "--from", by_hand)
    assert line.startswith(f"error: {by_hand}: too large ({len(matrix)} bytes)")
    assert nothing_kept(data)


def test_no_network_is_one_line(write_sources: WriteSources, refused: Refused) -> None:
    data = write_sources("http://127.0.0.1:9/matrix.tsv.gz", "http://127.0.0.1:9/other.tsv.gz")
    (line,) = refused(3, "reference", "fetch", "DEMO")
    assert line.startswith(
        "error: http://127.0.0.1:9/matrix.tsv.gz: cannot be fetched (no connection to the "
    )
    assert line.endswith("; check the network, or fetch the file elsewhere and give it with --from FILE")
    assert nothing_kept(data)


def test_folder_that_cannot_be_written_is_one_line(data: Path, refused: Refused) -> None:
    (data / "downloads").write_text("mine", encoding="utf-8")
    (line,) = refused(2, "reference", "fetch", "DEMO")
    assert line.startswith(f"error: {data / 'downloads' / 'gdc-demo'}: cannot be written (")


def test_file_of_the_user_is_read_and_stays(
    data: Path, by_hand: Path, behaviour: Behaviour, matrix: bytes
) -> None:
    fitted = fetch_reference("DEMO", source_file=by_hand)
    assert behaviour.requests == []
    assert by_hand.read_bytes() == matrix
    assert fitted.provenance["address"] == "a file given by the user"
    assert str(by_hand) not in json.dumps(dict(fitted.provenance))
    record = read_record("gdc-demo")
    assert record is not None
    assert (record.url, record.etag, record.size) == ("", "", len(matrix))
    assert record.sha256 == hashlib.sha256(matrix).hexdigest()


def test_plain_text_is_as_good_as_gzip(data: Path, tmp_path: Path, matrix: bytes) -> None:
    plain = tmp_path / "TCGA-DEMO.tsv"
    plain.write_bytes(gzip.decompress(matrix))
    assert fetch_reference("DEMO", source_file=plain).n_samples == 26


def test_file_of_another_project_is_refused_by_its_name(data: Path, by_hand: Path, tmp_path: Path) -> None:
    other = shutil.copy(by_hand, tmp_path / "TCGA-LUAD.star_tpm.tsv.gz")
    with pytest.raises(InputError, match="not the matrix of TCGA-DEMO: the file is named after TCGA-LUAD"):
        fetch_reference("DEMO", source_file=other)


def test_missing_file_of_the_user(data: Path, tmp_path: Path, refused: Refused) -> None:
    (line,) = refused(3, "reference", "fetch", "DEMO", "--from", tmp_path / "none.gz")
    assert "file not found" in line
    (line,) = refused(3, "reference", "fetch", "DEMO", "--from", tmp_path)
    assert "a folder, not a matrix" in line


def test_change_since_the_earlier_fetch_must_be_accepted(
    data: Path, address: str, behaviour: Behaviour, public_table: pd.DataFrame, refused: Refused
) -> None:
    first = fetch_reference("DEMO")
    assert main(["reference", "remove", "gdc-demo"]) == 0
    behaviour.content = packed(public_table.iloc[::-1])
    (line,) = refused(3, "reference", "fetch", "DEMO")
    assert line.startswith(f"error: {address}{FILE}: changed since the earlier fetch (sha256 ")
    assert line.endswith("; accept it with --accept-change")
    assert find_reference("gdc-demo") is None
    n_before = len(behaviour.requests)
    assert main(["reference", "fetch", "DEMO", "--accept-change"]) == 0
    # the file is not sent again
    assert behaviour.ranges[n_before:] == [f"bytes={len(behaviour.content)}-"]
    assert es.load_reference("gdc-demo").genes.location == pytest.approx(first.genes.location)
    record = read_record("gdc-demo")
    assert record is not None
    assert record.sha256 == hashlib.sha256(behaviour.content).hexdigest()


def test_digest_of_the_table_is_verified(address: str, write_sources: WriteSources, matrix: bytes) -> None:
    write_sources(address + FILE, sha256="0" * 64)
    with pytest.raises(DownloadFailedError, match="is not the file that the table of sources names"):
        fetch_reference("DEMO")
    write_sources(address + FILE, sha256=hashlib.sha256(matrix).hexdigest())
    assert fetch_reference("DEMO").n_samples == 26


def test_damaged_record_is_named(data: Path, by_hand: Path, refused: Refused) -> None:
    path = data / "references" / "fetched" / "gdc-demo.source.json"
    path.parent.mkdir(parents=True)
    path.write_text("{", encoding="utf-8")
    (line,) = refused(3, "reference", "fetch", "DEMO", "--from", by_hand)
    assert line.startswith(f"error: {path}: the record of an earlier fetch cannot be read; remove this file")


@pytest.mark.parametrize(
    ("table", "of_another_version"), [("slopes.tsv", "contrast\tslope\nother\t1\n"), ("reference.json", "{}")]
)
def test_reference_that_cannot_be_read_is_replaced(
    table: str, of_another_version: str, data: Path, by_hand: Path
) -> None:
    fitted = fetch_reference("DEMO", source_file=by_hand)
    known = find_reference("gdc-demo")
    assert known is not None
    (known.folder / table).write_text(of_another_version, encoding="utf-8")
    forget_references()
    assert fetch_reference("DEMO", source_file=by_hand).sha256 == fitted.sha256
    assert es.load_reference("gdc-demo").sha256 == fitted.sha256


def test_name_of_a_fitted_reference_is_not_taken(data: Path, repo_root: Path, by_hand: Path) -> None:
    shipped = repo_root / "resources" / "reference" / "tcga-uvm-v1"
    shutil.copytree(shipped, data / "references" / "fitted" / "gdc-demo")
    with pytest.raises(
        UsageError, match="gdc-demo: a reference that you fitted has this name; run: reference rem"
    ):
        fetch_reference("DEMO", source_file=by_hand)


def test_name_of_a_shipped_reference_is_refused(write_sources: WriteSources, by_hand: Path) -> None:
    write_sources("https://hub.example/x", name="tcga-uvm-v1")
    with pytest.raises(UsageError, match="'tcga-uvm-v1' cannot be the name of a reference"):
        fetch_reference("DEMO", source_file=by_hand)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing"], "'nothing' has no known matrix; give one of ACC, "),
        (["lung"], "'lung' names several matrices; give one of LUAD (lung adenocarcinoma), LUSC ("),
        (["SKCM", "UVM", "--from", "x"], "--from: a file is the matrix of one tumour type; give one TYPE"),
    ],
)
def test_types_that_cannot_be_fetched_are_usage_errors(
    arguments: list[str], problem: str, data: Path, behaviour: Behaviour, refused: Refused
) -> None:
    (line,) = refused(2, "reference", "fetch", *arguments)
    assert line.startswith(f"error: {problem}")
    assert behaviour.requests == []


def test_faults_of_one_type_do_not_stop_the_next(
    data: Path, address: str, behaviour: Behaviour, refused: Refused
) -> None:
    table = data / "reference_sources.tsv"
    header, row = table.read_text(encoding="utf-8").splitlines()
    gone = row.replace("DEMO\tgdc-demo", "AAA\tgdc-aaa", 1).replace(address + FILE, f"{address}/gone")
    table.write_text("\n".join([header, gone, row, ""]), encoding="utf-8")
    behaviour.status_of = {"/gone": 404}
    (line,) = refused(3, "reference", "fetch", "AAA", "DEMO")
    assert "/gone: cannot be fetched (404 Not Found)" in line
    assert find_reference("gdc-demo") is not None


def test_matrix_that_another_process_fetches_is_refused(data: Path, by_hand: Path) -> None:
    with (
        only_writer(data / "downloads" / "gdc-demo"),
        pytest.raises(OutputUnwritableError, match="another run is writing there; wait for it"),
    ):
        fetch_reference("DEMO", source_file=by_hand)


@pytest.mark.slow
def test_two_processes_at_once_leave_one_whole_reference(data: Path, behaviour: Behaviour) -> None:
    command = [sys.executable, "-m", "escape_score", "reference", "fetch", "DEMO"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    codes = [process.returncode for process in both]
    assert 0 in codes
    for code, words in zip(codes, said, strict=True):
        assert (code, words) == (0, "") or (code == 2 and "another run is writing there" in words)
    forget_references()
    whole = files_of(data)
    assert es.load_reference("gdc-demo").n_samples == 26
    assert not es.load_reference("gdc-demo").is_edited
    fetch_reference("DEMO", refit=True)
    assert files_of(data) == whole
