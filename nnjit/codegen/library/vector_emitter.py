"""The base of kernels emitted as LLVM vector code: loops, vectors in memory, masks, shuffles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from llvmlite import ir

from nnjit.codegen.numba.emit import external, loop_between
from nnjit.codegen.numba.types import INDEX, Builder, LlvmFunction, LlvmModule, LlvmType, LlvmValue

LANE = ir.IntType(32)
"""LLVM's type of lane numbers, alignments and shuffle elements."""


class VectorEmitter:
    """Writes one function.

    Args:
        module: where the function is added.
        bits: 32 or 64, the width of an element.
        lanes: elements of a vector.
    """

    b: Builder  # set with the function's first block

    def __init__(self, module: LlvmModule, bits: int, lanes: int) -> None:
        self.module, self.bits, self.lanes = module, bits, lanes
        self.real = ir.FloatType() if bits == 32 else ir.DoubleType()
        self.vector = ir.VectorType(self.real, lanes)
        self.mask = ir.VectorType(ir.IntType(1), lanes)

    @contextmanager
    def loop(self, start: LlvmValue, stop: LlvmValue, step: int) -> Iterator[LlvmValue]:
        """A loop over start, start + step, … below `stop`; gives the index."""
        with loop_between(self.b, start, stop, INDEX(step)) as index:
            yield index

    def at(self, i: LlvmValue, stride_i: LlvmValue, k: LlvmValue, stride_k: LlvmValue) -> LlvmValue:
        """The offset i stride_i + k stride_k."""
        return self.b.add(self.b.mul(i, stride_i), self.b.mul(k, stride_k))

    def smaller(self, x: LlvmValue, y: LlvmValue) -> LlvmValue:
        """The smaller of two signed numbers."""
        return self.b.select(self.b.icmp_signed("<", x, y), x, y)

    @property
    def suffix(self) -> str:
        """The suffix of LLVM's intrinsics for these vectors."""
        return f"v{self.lanes}f{self.bits}"

    def zero(self) -> LlvmValue:
        """A vector of zeros."""
        return ir.Constant(self.vector, [0.0] * self.lanes)

    def intrinsic(self, name: str, result: LlvmType, arguments: Sequence[LlvmType]) -> LlvmFunction:
        """An LLVM intrinsic."""
        return external(self.module, name, result, arguments)

    def load(self, place: LlvmValue, mask: LlvmValue | None) -> LlvmValue:
        """The vector at an address; lanes outside the mask are not read and are 0."""
        place = self.b.bitcast(place, self.vector.as_pointer())
        if mask is None:
            return self.b.load(place, align=self.bits // 8)
        masked = self.intrinsic(
            f"llvm.masked.load.{self.suffix}.p0", self.vector, [place.type, LANE, self.mask, self.vector]
        )
        return self.b.call(masked, [place, LANE(self.bits // 8), mask, self.zero()])

    def store(self, value: LlvmValue, place: LlvmValue, mask: LlvmValue | None) -> None:
        """Write a vector to an address, except the lanes outside the mask."""
        place = self.b.bitcast(place, self.vector.as_pointer())
        if mask is None:
            self.b.store(value, place, align=self.bits // 8)
            return
        masked = self.intrinsic(
            f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(), [self.vector, place.type, LANE, self.mask]
        )
        self.b.call(masked, [value, place, LANE(self.bits // 8), mask])

    def lanes_below(self, count: LlvmValue) -> LlvmValue:
        """The mask of the first `count` lanes."""
        numbers = ir.VectorType(LANE, self.lanes)
        limit = self.b.insert_element(ir.Constant(numbers, ir.Undefined), self.b.trunc(count, LANE), LANE(0))
        limit = self.b.shuffle_vector(limit, limit, ir.Constant(numbers, [0] * self.lanes))
        return self.b.icmp_signed("<", ir.Constant(numbers, list(range(self.lanes))), limit)

    def splat(self, value: LlvmValue) -> LlvmValue:
        """A vector with `value` in every lane."""
        lanes = ir.Constant(ir.VectorType(LANE, self.lanes), [0] * self.lanes)
        one = self.b.insert_element(ir.Constant(self.vector, ir.Undefined), value, LANE(0))
        return self.b.shuffle_vector(one, one, lanes)

    def shuffle(self, x: LlvmValue, y: LlvmValue, order: Sequence[int]) -> LlvmValue:
        """The lanes `order` of the lanes of x followed by those of y."""
        return self.b.shuffle_vector(x, y, ir.Constant(ir.VectorType(LANE, self.lanes), list(order)))
