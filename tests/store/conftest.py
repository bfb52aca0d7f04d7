"""A finished result folder, and objects of the stages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from escape_score.store.atomic import write_text
from escape_score.store.manifest import FileEntry, ResultHeader, entry_of, write_manifest


@pytest.fixture(scope="session")
def header() -> ResultHeader:
    return ResultHeader(
        cohort="c",
        n_samples=2,
        input_sha256="0" * 64,
        reference="r",
        reference_sha256="1" * 64,
        genesets_sha256="2" * 64,
        parameters={"unit": "tpm"},
        seed=1,
        versions={"numpy": "2"},
    )


@pytest.fixture(scope="session")
def write_result(header: ResultHeader) -> Callable[..., tuple[FileEntry, ...]]:
    """Write files and their manifest into a folder."""

    def write(folder: Path, **texts: str) -> tuple[FileEntry, ...]:
        names = {name.replace("__", "/"): text for name, text in texts.items()}
        for name, text in names.items():
            write_text(folder / name, text)
        entries = tuple(entry_of(folder, folder / name) for name in names)
        write_manifest(folder, header, entries)
        return entries

    return write
