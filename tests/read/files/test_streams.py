"""Text parsed in batches: the parser reads ahead, and what it has not read is never read any more."""

from __future__ import annotations

import io
import threading

import pyarrow as pa
import pytest
from pyarrow import csv as pa_csv

from escape_score.read.files.streams import csv_batches

OPTIONS = {"read_options": pa_csv.ReadOptions(column_names=["a", "b"], block_size=1 << 12)}
LINES = b"B2M\t1\n" * 200_000


class Watched(io.BytesIO):
    """Bytes that know whether they are being read, or were read after they should not be."""

    is_over = False
    n_late = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.n_late += self.is_over
        return super().read(size)


def options() -> dict[str, object]:
    return OPTIONS | {"parse_options": pa_csv.ParseOptions(delimiter="\t")}


def test_all_rows_are_parsed() -> None:
    with csv_batches(io.BufferedReader(io.BytesIO(LINES)), **options()) as batches:
        assert sum(batch.num_rows for batch in batches) == 200_000


def left_early(stream: Watched) -> None:
    with csv_batches(stream, **options()) as batches:  # type: ignore[arg-type]
        next(batches)
        raise KeyError


@pytest.mark.parametrize("content", [LINES, LINES[:60_000] + b"B2M\t1\t2\n" + LINES], ids=["whole", "fault"])
def test_nothing_is_read_after_the_block(content: bytes) -> None:
    stream, n_threads = Watched(content), threading.active_count()
    with pytest.raises((KeyError, pa.ArrowInvalid)):
        left_early(stream)
    stream.is_over = True
    assert stream.tell() < len(content)
    threading.Event().wait(0.2)
    assert (stream.n_late, threading.active_count()) == (0, n_threads)
