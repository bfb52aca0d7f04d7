"""Configs: every key checked, nothing converted, nothing executed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.battery.case import Blame, Case, Expect, Inputs, Make
from tests.battery.clean import Clean
from tests.battery.grid import write, write_clean

CATEGORY = "config"

FAST = {"threads-negative", "key-twice", "list", "empty", "tag-runs-code", "bomb", "crlf"}

KEYS = "expression: m.tsv\nunits: auto\nseed: 1\nthreads: 1\nmin_genes: 200\n"


def _config(text: str | bytes, name: str = "c.yaml") -> Make:
    def make(folder: Path, clean: Clean) -> Inputs:
        write_clean(folder, clean)
        return Inputs(None, config=write(folder / name, text))

    return make


def _with(line: str) -> str:
    """The clean config, one line replaced by its key, or one added."""
    key = line.split(":", maxsplit=1)[0]
    lines = [own for own in KEYS.splitlines() if own.split(":")[0] != key]
    return "\n".join([*lines, line]) + "\n"


def _missing(folder: Path, clean: Clean) -> Inputs:
    return Inputs(write_clean(folder, clean), config=folder / "none.yaml")


def _bomb() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines)


VALUES = {
    "threads-negative": ("threads: -3", "threads"),
    "threads-zero": ("threads: 0", "threads"),
    "threads-huge": ("threads: 999999999", "threads"),
    "threads-text": ("threads: many", "threads"),
    "threads-decimal": ("threads: 1.5", "threads"),
    "threads-true": ("threads: true", "threads"),
    "threads-quoted": ("threads: '4'", "threads"),
    "threads-list": ("threads: [1, 2]", "threads"),
    "threads-empty": ("threads:", "threads"),
    "seed-negative": ("seed: -1", "seed"),
    "seed-huge": ("seed: 123456789012345678901234567890", "seed"),
    "seed-nan": ("seed: .nan", "seed"),
    "seed-infinite": ("seed: .inf", "seed"),
    "min-genes-zero": ("min_genes: 0", "min_genes"),
    "units-unknown": ("units: rpkm_per_cell", "units"),
    "units-number": ("units: 5", "units"),
    "unknown-key": ("seeds: 1", "seeds|unknown"),
    "unknown-inner-key": ("read: {max_sample: 5}", "max_sample|unknown"),
    "block-is-number": ("read: 5", "read"),
    "inner-out-of-range": ("read: {max_samples: 0}", "max_samples"),
    "language-unknown": ("report: {lang: xx}", "lang"),
    "key-is-number": ("5: 1", "key|line"),
    "key-twice": ("seed: 1\nseed: 2", "seed|duplicate"),
    "tag-runs-code": ("x: !!python/object/apply:os.mkdir [PWNED]", "tag"),
    "tag-local": ("x: !mine 5", "tag"),
    "anchor": ("read: &r {max_samples: 5}", "anchor|alias"),
    "merge-key": ("<<: {seed: 5}", "<<|key|unknown"),
    "date": ("seed: 2021-03-01", "seed"),
    "sexagesimal": ("seed: 1:30", "seed"),
    "octal": ("seed: 010", "seed"),
    "underscores": ("seed: 1_000", "seed"),
    "hexadecimal": ("seed: 0x1F", "seed"),
}

TEXTS: dict[str, tuple[str | bytes, str]] = {
    "list": ("- a\n- b\n", "mapping|list"),
    "word": ("auto\n", "mapping"),
    "empty": ("", "empty"),
    "comments-only": ("# nothing\n", "empty"),
    "tabs": ("read:\n\tmax_samples: 5\n", "line|YAML"),
    "bracket-open": (KEYS + "read: {max_samples: 5\n", "YAML|line"),
    "quote-open": (KEYS + "units: 'auto\n", "YAML|line"),
    "two-documents": (KEYS + "---\n" + KEYS, "document|YAML"),
    "bomb": (KEYS + _bomb(), "alias|anchor"),
    "deep": ("[" * 5000, "nested|YAML|mapping"),
    "binary": (b"\x00\x01\x02" * 50, "UTF-8|YAML|text|character"),
    "latin": ("expression: matrice-é.tsv\n".encode("latin-1"), "UTF-8"),
    "too-large": (KEYS + "# filler\n" * 150_000, "large"),
}


def cases() -> Iterator[Case]:
    """Configs that are refused and configs that are read."""
    texts: dict[str, tuple[str | bytes, str]] = {n: (_with(line), word) for n, (line, word) in VALUES.items()}
    for name, (text, word) in (texts | TEXTS).items():
        make, fast = _config(text), name in FAST
        yield Case(f"config-{name}", CATEGORY, make, Expect.ERROR, (word,), Blame.CONFIG, is_fast=fast)
    missing = ("not found|no such",)
    yield Case("config-missing", CATEGORY, _missing, Expect.ERROR, missing, Blame.CONFIG)
    read = {
        "crlf": KEYS.replace("\n", "\r\n"),
        "byte-order-mark": "\ufeff" + KEYS,
        "no-final-newline": KEYS.rstrip("\n"),
        "comments": "# mine\n" + KEYS,
        "document-start": "---\n" + KEYS,
        "flow": "{expression: m.tsv, seed: 1}\n",
        "json": '{"expression": "m.tsv", "units": "tpm"}\n',
        "other-name": KEYS,
    }
    for name, text in read.items():
        make = _config(text, "c.txt" if name == "other-name" else "c.yaml")
        yield Case(f"config-{name}", CATEGORY, make, Expect.SAME, is_fast=name in FAST)
