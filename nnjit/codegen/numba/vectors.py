"""Pieces of functions that are emitted as LLVM vector code: loops, vectors in memory, their arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba.core import cgutils

INDEX = ir.IntType(64)
LANE = ir.IntType(32)


class VectorEmitter:
    """The state of writing one function.

    Args:
        bits: 32 or 64, the width of an element.
        lanes: elements of a vector.
    """

    b: Any  # the builder, from the function's first block on

    def __init__(self, module: Any, bits: int, lanes: int) -> None:
        self.module, self.bits, self.lanes = module, bits, lanes
        self.real = ir.FloatType() if bits == 32 else ir.DoubleType()
        self.vector = ir.VectorType(self.real, lanes)
        self.mask = ir.VectorType(ir.IntType(1), lanes)

    @contextmanager
    def loop(self, start: Any, stop: Any, step: int) -> Iterator[Any]:
        with cgutils.for_range_slice(self.b, start, stop, INDEX(step), intp=INDEX) as (index, _):
            yield index

    def at(self, i: Any, stride_i: Any, k: Any, stride_k: Any) -> Any:
        return self.b.add(self.b.mul(i, stride_i), self.b.mul(k, stride_k))

    def smaller(self, x: Any, y: Any) -> Any:
        return self.b.select(self.b.icmp_signed("<", x, y), x, y)

    def larger(self, x: Any, y: Any) -> Any:
        return self.b.select(self.b.icmp_signed(">", x, y), x, y)

    @property
    def suffix(self) -> str:
        return f"v{self.lanes}f{self.bits}"

    def zero(self) -> Any:
        return ir.Constant(self.vector, [0.0] * self.lanes)

    def intrinsic(self, name: str, result: Any, arguments: Sequence[Any]) -> Any:
        return cgutils.get_or_insert_function(self.module, ir.FunctionType(result, arguments), name)

    def load(self, place: Any, mask: Any) -> Any:
        place = self.b.bitcast(place, self.vector.as_pointer())
        if mask is None:
            return self.b.load(place, align=self.bits // 8)
        masked = self.intrinsic(
            f"llvm.masked.load.{self.suffix}.p0", self.vector, [place.type, LANE, self.mask, self.vector]
        )
        return self.b.call(masked, [place, LANE(self.bits // 8), mask, self.zero()])

    def store(self, value: Any, place: Any, mask: Any) -> None:
        place = self.b.bitcast(place, self.vector.as_pointer())
        if mask is None:
            self.b.store(value, place, align=self.bits // 8)
            return
        masked = self.intrinsic(
            f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(), [self.vector, place.type, LANE, self.mask]
        )
        self.b.call(masked, [value, place, LANE(self.bits // 8), mask])

    def lanes_below(self, count: Any) -> Any:
        """The mask of the first `count` lanes."""
        numbers = ir.VectorType(LANE, self.lanes)
        limit = self.b.insert_element(ir.Constant(numbers, ir.Undefined), self.b.trunc(count, LANE), LANE(0))
        limit = self.b.shuffle_vector(limit, limit, ir.Constant(numbers, [0] * self.lanes))
        return self.b.icmp_signed("<", ir.Constant(numbers, list(range(self.lanes))), limit)

    def splat(self, value: Any) -> Any:
        lanes = ir.Constant(ir.VectorType(LANE, self.lanes), [0] * self.lanes)
        one = self.b.insert_element(ir.Constant(self.vector, ir.Undefined), value, LANE(0))
        return self.b.shuffle_vector(one, one, lanes)

    def shuffle(self, x: Any, y: Any, order: Sequence[int]) -> Any:
        return self.b.shuffle_vector(x, y, ir.Constant(ir.VectorType(LANE, self.lanes), list(order)))
