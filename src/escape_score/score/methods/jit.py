"""The one place where numba is met: it publishes no types, and is imported when a kernel is first needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from types import ModuleType

Function = TypeVar("Function", bound=Callable[..., Any])

_ARRAY = re.compile(r"(?P<item>\w+)\[(?P<ndim>[1-3])\]")


def inner(function: Function) -> Function:
    """Compile a function that only kernels call; it is compiled, and cached, as a part of them."""
    return cast(Function, _numba().njit(nogil=True)(function))


def kernel(*signatures: str) -> Callable[[Function], Function]:
    """Compile a function for the given argument types, once a machine.

    Parameters
    ----------
    signatures
        One string for every accepted combination of arguments, such as ``"float32[2], int64"``: an item type,
        for an array its number of dimensions. Arrays are C-ordered and, so that a read-only input needs no
        second compilation, never written to.

    Returns
    -------
    Callable
        Decorator. The machine code is kept beside the module or, where that folder is read-only, in the
        user's cache; where neither can be written it is made anew in each process.

    Notes
    -----
    A kernel's cache is renewed when its own file changes, not when a function it calls in another file does;
    remove ``__pycache__`` after changing one marked :func:`inner`.
    """

    def decorate(function: Function) -> Function:
        numba = _numba()
        types = [_signature(numba, signature) for signature in signatures]
        try:
            return cast(Function, numba.njit(types, nogil=True, cache=True)(function))
        except RuntimeError:
            return cast(Function, numba.njit(types, nogil=True)(function))

    return decorate


def _numba() -> ModuleType:
    """The library, imported late because `escape-score --help` must not wait for it."""
    import numba

    return numba


def _signature(numba: ModuleType, signature: str) -> tuple[Any, ...]:
    """Argument types of one signature."""
    return tuple(_argument(numba, word.strip()) for word in signature.split(","))


def _argument(numba: ModuleType, word: str) -> Any:  # noqa: ANN401
    """One argument type: a scalar, or a C-ordered read-only array."""
    array = _ARRAY.fullmatch(word)
    if array is None:
        return getattr(numba.types, word)
    item = getattr(numba.types, array["item"])
    return numba.types.Array(item, int(array["ndim"]), "C", readonly=True)
