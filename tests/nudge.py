"""A pytest plugin (`-p tests.nudge`): move each floating-point input of a compiled program by its last bit.

Another processor adds in another order, so it computes other last bits. Nudged inputs have the same effect on
all results, so a test that depends on a last bit fails on any processor. The direction depends only on the
value: equal inputs stay equal, and a training gives the same bits twice.

Zeros are not nudged, because they are padding and masks. Arrays that a training updates in place (params and
slots) are nudged only before its first step, because its number of native calls depends on the time. Tests
that need exact inputs are marked `exact` and skipped, as are doctests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import wraps
from typing import Any

import numpy as np
import pytest

from nnjit.codegen.call import Caller
from nnjit.codegen.program import Compiled, CompiledEpoch, Turns

# Arrays of at least this many elements are nudged once, not in each native call: after a slow call, the next
# one takes fewer steps, so the calls would become ever more.
LARGE, MOST_KNOWN = 1 << 16, 8
# Integers of as many bits, and an odd multiplier that gives products of random sign.
_WHOLE = {4: (np.int32, np.int32(-0x61C88647)), 8: (np.int64, np.int64(-0x61C8864680B583EB))}


def pytest_configure() -> None:
    """Nudge the inputs of every way into a native function."""
    call, call_small, run = Compiled.__call__, Caller.__call__, CompiledEpoch.run
    known: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # by address: large data and the same nudged

    @wraps(call)
    def nudged_call(self: Compiled, *arguments: Any) -> Any:
        return call(self, *map(nudged, arguments))

    @wraps(call_small)
    def nudged_call_small(self: Caller, arguments: Sequence[Any]) -> Any:
        return call_small(self, [nudged(a) for a in arguments])

    @wraps(run)
    def nudged_run(
        self: CompiledEpoch, turns: Turns, order: Any, arguments: Mapping[str, Any], *rest: Any, **more: Any
    ) -> Any:
        updated = [arguments[name] for name in self.interface.updates]
        if _is_first(self, turns, arguments):
            for array in updated:
                array[...] = nudged(array)

        def unless_updated(array: np.ndarray) -> np.ndarray:
            if any(np.may_share_memory(array, u) for u in updated):
                return array
            if array.size < LARGE:
                return nudged(array)
            if known.get(id(array), [None])[0] is not array:
                known[id(array)] = (array, nudged(array))
            return known[id(array)][1]

        while len(known) > MOST_KNOWN:
            del known[next(iter(known))]
        moved = {name: unless_updated(array) for name, array in arguments.items()}
        return run(self, turns, order, moved, *rest, **more)

    Compiled.__call__ = nudged_call  # type: ignore[method-assign]
    Caller.__call__ = nudged_call_small  # type: ignore[method-assign]
    CompiledEpoch.run = nudged_run  # type: ignore[method-assign]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect exact tests and doctests."""
    kept = [i for i in items if not isinstance(i, pytest.DoctestItem) and not i.get_closest_marker("exact")]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def _is_first(epoch: CompiledEpoch, turns: Turns, arguments: Mapping[str, np.ndarray]) -> bool:
    """Whether a call includes the first step of a training, which has the number 1."""
    numbers = [arguments[name] for name in epoch.interface.per_step if arguments[name].dtype.kind == "u"]
    return turns.begin == 0 and any(n[0] == 1 for n in numbers)


def nudged(value: Any) -> Any:
    """Move each element to its neighbour above or below, a choice made by the element's own bits.

    Zeros, subnormal numbers, the largest number, inf and NaN are unchanged, as are values of other dtypes.
    """
    array = np.asarray(value)
    if array.dtype.kind != "f":
        return value
    limits, whole, mixer = np.finfo(array.dtype), *_WHOLE[array.itemsize]
    bits = np.ascontiguousarray(array).view(whole)
    moved = (bits + (bits * mixer >> 8 * array.itemsize - 1 | 1)).view(array.dtype).reshape(array.shape)
    size = np.abs(array)
    return np.where((size > limits.tiny) & (size < limits.max), moved, array)
