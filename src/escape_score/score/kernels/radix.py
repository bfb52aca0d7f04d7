"""Order of floating-point numbers by a radix sort on their bits: stable, and linear in their number.

Least significant digit first (Knuth, The Art of Computer Programming 3, §5.2.5), digits of 11 bits; the bits
of IEEE 754 numbers are made monotone by flipping all of a negative and the sign of a positive number.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from escape_score.score.kernels.jit import inner
from escape_score.score.kernels.values import ColumnArray

Bits = npt.NDArray[np.uint32] | npt.NDArray[np.uint64]
"""Numbers seen as their bits; one type within a call."""

DIGIT_BITS = 11
RADIX = 1 << DIGIT_BITS
N_DIGITS_32 = 3
N_DIGITS_64 = 6
HAS_NAN = -1


@inner
def _fill(bits: Bits, labels: ColumnArray, keys: Bits, order: ColumnArray, counts: ColumnArray) -> bool:
    """Make keys and count their digits; False where a value is NaN. −0 becomes 0."""
    n_digits = counts.shape[0]
    if n_digits == N_DIGITS_32:
        sign, infinity, everything = np.uint64(1 << 31), np.uint64(0x7F800000), np.uint64(0xFFFFFFFF)
    else:
        sign, infinity = np.uint64(1 << 63), np.uint64(0x7FF0000000000000)
        everything = np.uint64(0xFFFFFFFFFFFFFFFF)
    mask = np.uint64(RADIX - 1)
    counts[:] = 0
    has_nan = False
    for i in range(bits.size):
        value = np.uint64(bits[i])
        if value == sign:
            value = np.uint64(0)
        if (value & (sign - np.uint64(1))) > infinity:
            has_nan = True
        key = value ^ everything if value >= sign else value | sign
        keys[i] = key
        order[i] = labels[i]
        counts[0, np.int64(key & mask)] += 1
        counts[1, np.int64((key >> np.uint64(11)) & mask)] += 1
        counts[2, np.int64((key >> np.uint64(22)) & mask)] += 1
        if n_digits == N_DIGITS_64:
            counts[3, np.int64((key >> np.uint64(33)) & mask)] += 1
            counts[4, np.int64((key >> np.uint64(44)) & mask)] += 1
            counts[5, np.int64((key >> np.uint64(55)) & mask)] += 1
    return not has_nan


@inner
def _start_positions(counts: ColumnArray) -> None:
    """Turn counts of a digit's values into where the first of each goes."""
    total = 0
    for value in range(counts.size):
        count = counts[value]
        counts[value] = total
        total += count


@inner
def _scatter(
    keys: Bits,
    order: ColumnArray,
    new_keys: Bits,
    new_order: ColumnArray,
    places: ColumnArray,
    shift: np.uint64,
) -> None:
    """Move keys and order to their places by one digit."""
    mask = np.uint64(RADIX - 1)
    for i in range(keys.size):
        digit = np.int64((np.uint64(keys[i]) >> shift) & mask)
        place = places[digit]
        places[digit] = place + 1
        new_keys[place] = keys[i]
        new_order[place] = order[i]


@inner
def radix_order(bits: Bits, labels: ColumnArray, keys: Bits, order: ColumnArray, counts: ColumnArray) -> int:
    """Sort one row ascending.

    ``bits``: shape (n,), uint32 or uint64 views of floats; ``labels``: (≥ n,) what each carries along, so
    that whoever walks the order needs no look-up. ``keys``: (2, ≥ n) of the same type, ``order``: (2, ≥ n)
    and ``counts``: (n_digits, 2048) are room to work in. Returns the half of ``keys`` and ``order`` that
    holds the result, or −1 where a value is NaN.
    """
    n, n_digits = bits.size, counts.shape[0]
    if not _fill(bits, labels, keys[0], order[0], counts):
        return HAS_NAN
    side = 0
    for digit in range(n_digits):
        shift = np.uint64(digit * DIGIT_BITS)
        if counts[digit, np.int64((np.uint64(keys[0, 0]) >> shift) & np.uint64(RADIX - 1))] == bits.size:
            continue
        _start_positions(counts[digit])
        other = 1 - side
        _scatter(keys[side][:n], order[side], keys[other], order[other], counts[digit], shift)
        side = other
    return side
