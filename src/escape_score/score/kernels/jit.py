"""The one place where numba is met: it publishes no types, and is imported when a kernel is first called."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import update_wrapper
from threading import RLock
from types import FunctionType, ModuleType
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

_ARRAY = re.compile(r"(?P<item>\w+)\[(?P<ndim>[1-3])\]")
_COMPILING = RLock()


class Lazy:
    """A function that is compiled when it is first called, with all such functions that it calls."""

    def __init__(self, function: Callable[..., Any], signatures: Sequence[str] = ()) -> None:
        update_wrapper(self, function)
        self._function, self._signatures, self._compiled = cast(FunctionType, function), signatures, None

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401
        """Run the machine code."""
        return (self._compiled or self.compiled())(*arguments)

    def compiled(self) -> Any:  # noqa: ANN401
        """Give numba's function; other threads wait until it is there."""
        with _COMPILING:
            if self._compiled is None:
                self._compiled = _compile(self._with_compiled_globals(), self._signatures)
            return self._compiled

    def _with_compiled_globals(self) -> FunctionType:
        """The function with compiled ones in place of lazy ones, since numba knows only those."""
        function, code = self._function, self._function.__code__
        names = {name: function.__globals__.get(name) for name in code.co_names}
        ready = {name: value.compiled() for name, value in names.items() if isinstance(value, Lazy)}
        return FunctionType(code, function.__globals__ | ready, code.co_name, function.__defaults__)


def inner(function: Function) -> Function:
    """Mark a function that only kernels call; it is compiled, and cached, as a part of them."""
    return cast(Function, Lazy(function))


def kernel(*signatures: str) -> Callable[[Function], Function]:
    """Mark a function to be compiled for the given argument types, once a machine.

    Parameters
    ----------
    signatures
        One string for every accepted combination of arguments, such as ``"float32[2], int64"``: an item type,
        for an array its number of dimensions. Arrays are C-ordered and, so that a read-only input needs no
        second compilation, never written to.

    Returns
    -------
    Callable
        Decorator. The machine code is kept in the folder of the module or, where that folder is read-only, in
        the user's cache; where neither can be written it is made anew in each process.

    Notes
    -----
    A kernel's cache is renewed when its own file changes, not when a function it calls in another file does;
    remove ``__pycache__`` after changing one marked :func:`inner`.
    """
    return lambda function: cast(Any, Lazy(function, signatures))


def _compile(function: FunctionType, signatures: Sequence[str]) -> Any:  # noqa: ANN401
    """Compile for each signature or, without any, for the calls of the kernels."""
    numba = _numba()
    if not signatures:
        return numba.njit(nogil=True)(function)
    types = [_signature(numba, signature) for signature in signatures]
    try:
        return numba.njit(types, nogil=True, cache=True)(function)
    except RuntimeError:
        return numba.njit(types, nogil=True)(function)


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
