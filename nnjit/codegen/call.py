"""Call a compiled graph that has no batch axis, reusing memory laid out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnjit.codegen.runtime.views import table_of
from nnjit.ir import ArrayType
from nnjit.ir.types import static

SMALL = 1 << 14  # bytes: copying an array up to this size is faster than asking for its address


@dataclass(frozen=True)
class Memory:
    """Arrays for one call at a time, and the table of their addresses.

    Args:
        copied: (place, index of the argument copied there).
        given: (index in the table, index of the argument) for each argument too large to copy.
        results: the places of the results; None if too large to copy.
        made: (index in the table, index of the result) for each result too large to copy.
        kept: every array whose address is in the table.
    """

    table: Any
    copied: Sequence[tuple[np.ndarray, int]]
    given: Sequence[tuple[int, int]]
    results: Sequence[np.ndarray | None]
    made: Sequence[tuple[int, int]]
    kept: Sequence[np.ndarray]


class Caller:
    """A native function that does not check argument types; any number of threads may call it.

    Args:
        run: the native function; takes a table of addresses and a number of rows, and may return a failure.
        inputs, outputs: the types of its arguments and results.
        more: allocates the rest of the table: (constants, work memory).
    """

    def __init__(
        self,
        run: Callable[[Any, int], object],
        inputs: Sequence[ArrayType],
        outputs: Sequence[ArrayType],
        more: Callable[[], tuple[Sequence[np.ndarray], Sequence[np.ndarray]]],
    ) -> None:
        self._run, self._inputs, self._outputs, self._more = run, inputs, outputs, more
        self._free: list[Memory] = []  # a call pops one and appends it again; both are atomic

    def __call__(self, arguments: Sequence[Any]) -> list[np.ndarray]:
        """Return the outputs in new arrays; a number may be given for a scalar."""
        try:
            memory = self._free.pop()
        except IndexError:
            memory = self._layout()
        for place, k in memory.copied:
            place[...] = arguments[k]
        if memory.given or memory.made:
            outputs = self._run_in_place(memory, arguments)
        else:
            check_success(self._run(memory.table, 1))
            outputs = [place.copy() for place in memory.results if place is not None]
        self._free.append(memory)
        return outputs

    def _run_in_place(self, memory: Memory, arguments: Sequence[Any]) -> list[np.ndarray]:
        """Run on the large arrays directly; they must stay alive until it returns."""
        given = [np.ascontiguousarray(arguments[k]) for _, k in memory.given]
        made = [np.empty(static(self._outputs[k].shape), self._outputs[k].dtype) for _, k in memory.made]
        places = [at for at, _ in (*memory.given, *memory.made)]
        for at, address in zip(places, table_of([*given, *made]), strict=True):
            memory.table[at] = address
        check_success(self._run(memory.table, 1))
        new = iter(made)
        return [next(new) if place is None else place.copy() for place in memory.results]

    def _layout(self) -> Memory:
        constants, work = self._more()
        inputs, outputs = list(map(_place, self._inputs)), list(map(_place, self._outputs))
        first = len(inputs) + len(constants)
        arrays = [*map(_or_any, inputs), *constants, *map(_or_any, outputs), *work]
        return Memory(
            table_of(arrays),
            copied=[(place, k) for k, place in enumerate(inputs) if place is not None],
            given=[(k, k) for k, place in enumerate(inputs) if place is None],
            results=outputs,
            made=[(first + k, k) for k, place in enumerate(outputs) if place is None],
            kept=arrays,
        )


def check_success(failure: Any) -> None:
    """Raise NumPy's error for a failure number; None and 0 mean success."""
    if failure:
        from nnjit.codegen.source.routines import FAILURES

        raise np.linalg.LinAlgError(FAILURES[failure - 1])


def _place(type: ArrayType) -> np.ndarray | None:
    """Return an array for a small value, None for a large one."""
    is_small = type.row_size * type.dtype.itemsize <= SMALL
    return np.zeros(static(type.shape), type.dtype) if is_small else None


def _or_any(place: np.ndarray | None) -> np.ndarray:
    """`place`, or a dummy array for a large value, whose address is replaced before each call."""
    return np.zeros(1) if place is None else place
