"""The matrix product: a register-tiled kernel of our own, as LLVM vector code for the CPU at hand.

C (+)= A B, where A may have any strides, so that X W and Xᵀ D are the same kernel, and B may be stored
transposed. The columns of C are taken a panel of a few vectors at a time; a panel of B that is transposed
or not full is first packed on the stack. A tile of C stays in registers while the inner axis runs.

Reference: Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from nnjit.codegen.numba.vectors import INDEX, VectorEmitter

DEPTH = 256  # of the inner axis at a time: a packed panel of this depth stays in the first-level cache

ROWS = (12, 10, 8, 6, 4, 2, 1)  # of a tile: a batch of ten is one
WORTH_PACKING = 32  # rows of A: so often is a packed panel read, at unit stride instead of B's


@dataclass(frozen=True)
class Tile:
    """The shape of a kernel for one CPU.

    Args:
        bits: 32 or 64, the width of an element.
        lanes: elements of a vector.
        rows: rows of the tile of C that is kept in registers.
        vectors: its columns, in vectors.
    """

    bits: int
    lanes: int
    rows: int
    vectors: int

    @property
    def columns(self) -> int:
        return self.lanes * self.vectors


def tile_for(bits: int, features: Mapping[str, bool]) -> Tile:
    """The tile for a CPU with these features: wide vectors, and accumulators in most of the registers."""
    if features.get("avx512f"):
        return Tile(bits, 512 // bits, 12, 2)
    if features.get("avx2") and features.get("fma"):
        return Tile(bits, 256 // bits, 6, 2)
    if features.get("neon"):
        return Tile(bits, 128 // bits, 8, 2)
    return Tile(bits, 128 // bits, 4, 2)


def emit_product(module: Any, name: str, tile: Tile) -> None:
    """Add to `module` the function `void name(A*, B*, C*, m, n, k, sai, sak, ldb, tb, ldc, add)`.

    A(i,k) is at A[i·sai + k·sak], C(i,j) at C[i·ldc + j], and B(k,j) at B[k·ldb + j], or where tb is not 0
    at B[j·ldb + k]. Where add is not 0, C is added to.
    """
    _Emitter(module, tile).emit(name)


class _Emitter(VectorEmitter):
    """The parts of one function while it is being written."""

    def __init__(self, module: Any, tile: Tile) -> None:
        super().__init__(module, tile.bits, tile.lanes)
        self.tile = tile

    def emit(self, name: str) -> None:
        pointer = self.real.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer] * 3 + [INDEX] * 9)
        function = ir.Function(self.module, kind, name)
        self.b = b = ir.IRBuilder(function.append_basic_block("entry"))
        self.A, self.B, self.C, self.m, self.n, k, self.sai, self.sak, self.ldb, tb, self.ldc, add = (
            function.args
        )
        size = self.tile.columns * DEPTH
        self.packed = b.alloca(ir.ArrayType(self.real, size))
        self.packed.align = 64
        self.packed = b.bitcast(self.packed, pointer)
        self.is_transposed, is_added = b.icmp_signed("!=", tb, INDEX(0)), b.icmp_signed("!=", add, INDEX(0))
        self.sums = [b.alloca(self.vector) for _ in range(self.tile.rows * self.tile.vectors)]
        with self.loop(INDEX(0), k, DEPTH) as start:
            self.start, self.depth = start, self.smaller(b.sub(k, start), INDEX(DEPTH))
            self.is_added = b.or_(is_added, b.icmp_signed(">", start, INDEX(0)))
            self.columns()
        b.ret_void()

    def columns(self) -> None:
        """All panels of columns: whole ones, then the rest in one or more vectors."""
        b, width = self.b, self.tile.columns
        whole = b.mul(b.sdiv(self.n, INDEX(width)), INDEX(width))
        with self.loop(INDEX(0), whole, width) as j:
            data, stride = self.panel(j, self.tile.vectors, None)
            self.all_rows(j, data, stride, self.tile.vectors, None)
        rest = b.sub(self.n, whole)
        for vectors in range(1, self.tile.vectors + 1):
            low, high = INDEX((vectors - 1) * self.tile.lanes), INDEX(vectors * self.tile.lanes)
            with b.if_then(b.and_(b.icmp_signed(">", rest, low), b.icmp_signed("<=", rest, high))):
                data, stride = self.panel(whole, vectors, rest)
                self.all_rows(whole, data, stride, vectors, rest)

    def all_rows(self, j: Any, data: Any, stride: Any, vectors: int, rest: Any) -> None:
        """All tiles of a panel: full ones, then ever smaller ones."""
        b, begin = self.b, INDEX(0)
        for rows in (r for r in ROWS if r <= self.tile.rows):
            count = b.mul(b.sdiv(b.sub(self.m, begin), INDEX(rows)), INDEX(rows))
            end = b.add(begin, count)
            with self.loop(begin, end, rows) as i:
                self.one_tile(i, j, data, stride, rows, vectors, rest)
            begin = end

    def one_tile(self, i: Any, j: Any, data: Any, stride: Any, rows: int, vectors: int, rest: Any) -> None:
        b, lanes = self.b, self.tile.lanes
        sums = {(r, v): self.sums[r * self.tile.vectors + v] for r in range(rows) for v in range(vectors)}
        a = [
            b.gep(self.A, [self.at(b.add(i, INDEX(r)), self.sai, self.start, self.sak)]) for r in range(rows)
        ]
        c = [b.gep(self.C, [b.add(b.mul(b.add(i, INDEX(r)), self.ldc), j)]) for r in range(rows)]
        masks = self.masks(rest, vectors)
        with b.if_else(self.is_added) as (then, otherwise):
            with then:
                for (r, v), slot in sums.items():
                    b.store(self.load(b.gep(c[r], [INDEX(v * lanes)]), masks[v]), slot)
            with otherwise:
                for slot in sums.values():
                    b.store(self.zero(), slot)
        fma = self.intrinsic(f"llvm.fma.{self.suffix}", self.vector, [self.vector] * 3)
        with self.loop(INDEX(0), self.depth, 1) as k:
            line = b.gep(data, [b.mul(k, stride)])
            vector = [self.load(b.gep(line, [INDEX(v * lanes)]), masks[v]) for v in range(vectors)]
            along = b.mul(k, self.sak)
            for r in range(rows):
                factor = self.splat(b.load(b.gep(a[r], [along])))
                for v in range(vectors):
                    b.store(b.call(fma, [factor, vector[v], b.load(sums[r, v])]), sums[r, v])
        for (r, v), slot in sums.items():
            self.store(b.load(slot), b.gep(c[r], [INDEX(v * lanes)]), masks[v])

    # -- panels of B

    def panel(self, j: Any, vectors: int, rest: Any) -> tuple[Any, Any]:
        """The address and the row stride of a panel of B, packed where it cannot be read in its place."""
        b = self.b
        data, stride = b.alloca(self.real.as_pointer()), b.alloca(INDEX)
        b.store(self.packed, data)
        b.store(INDEX(self.tile.columns), stride)
        with b.if_else(self.is_transposed) as (then, otherwise):
            with then:
                self.pack_transposed(j, vectors, rest)
            with otherwise:
                first = b.gep(self.B, [self.at(self.start, self.ldb, j, INDEX(1))])
                with b.if_else(b.icmp_signed("<", self.m, INDEX(WORTH_PACKING))) as (direct, packed):
                    with direct:
                        b.store(first, data)
                        b.store(self.ldb, stride)
                    with packed:
                        self.pack(first, vectors, rest)
        return b.load(data), b.load(stride)

    def pack(self, first: Any, vectors: int, rest: Any) -> None:
        """Copy a panel of B, with zeros up to a whole one."""
        b, lanes = self.b, self.tile.lanes
        masks = self.masks(rest, vectors)
        with self.loop(INDEX(0), self.depth, 1) as k:
            line, target = (
                b.gep(first, [b.mul(k, self.ldb)]),
                b.gep(self.packed, [b.mul(k, INDEX(self.tile.columns))]),
            )
            for v, mask in enumerate(masks):
                self.store(
                    self.load(b.gep(line, [INDEX(v * lanes)]), mask), b.gep(target, [INDEX(v * lanes)]), None
                )

    def pack_transposed(self, j: Any, vectors: int, rest: Any) -> None:
        """Transpose a panel, a square of `lanes` by `lanes` in registers at a time."""
        b, lanes, width = self.b, self.tile.lanes, self.tile.columns
        for v in range(vectors):
            column = b.add(j, INDEX(v * lanes))
            left = INDEX(lanes) if rest is None else b.sub(rest, INDEX(v * lanes))
            whole = b.and_(b.icmp_signed(">=", left, INDEX(lanes)), ir.Constant(ir.IntType(1), 1))
            squares = b.mul(b.sdiv(self.depth, INDEX(lanes)), INDEX(lanes))
            squares = b.select(whole, squares, INDEX(0))
            with self.loop(INDEX(0), squares, lanes) as k:
                rows = [self.load(self.transposed_at(b.add(column, INDEX(c)), k), None) for c in range(lanes)]
                for r, vector in enumerate(self.transposed(rows)):
                    place = self.at(b.add(k, INDEX(r)), INDEX(width), INDEX(v * lanes), INDEX(1))
                    self.store(vector, b.gep(self.packed, [place]), None)
            with self.loop(squares, self.depth, 1) as k, self.loop(INDEX(0), INDEX(lanes), 1) as c:
                place = b.gep(self.packed, [b.add(self.at(k, INDEX(width), c, INDEX(1)), INDEX(v * lanes))])
                b.store(ir.Constant(self.real, 0.0), place)
                with b.if_then(b.icmp_signed("<", c, left)):
                    b.store(b.load(self.transposed_at(b.add(column, c), k)), place)

    def transposed_at(self, column: Any, k: Any) -> Any:
        return self.b.gep(self.B, [self.at(column, self.ldb, self.b.add(self.start, k), INDEX(1))])

    def transposed(self, rows: Sequence[Any]) -> list[Any]:
        """The transpose of a square of vectors: log2(lanes) rounds of exchanging halves."""
        lanes, width = self.tile.lanes, self.tile.lanes // 2
        while width:
            low = [lane if not lane & width else lanes + (lane & ~width) for lane in range(lanes)]
            high = [lane | width if not lane & width else lanes + lane for lane in range(lanes)]
            new = list(rows)
            for r in range(lanes):
                if not r & width:
                    new[r] = self.shuffle(rows[r], rows[r | width], low)
                    new[r | width] = self.shuffle(rows[r], rows[r | width], high)
            rows, width = new, width // 2
        return list(rows)

    def masks(self, rest: Any, vectors: int) -> list[Any]:
        """A mask for each vector of a panel of which `rest` columns are left; None where it is whole.

        All but the last of `vectors` are whole, and a masked store is several times slower.
        """
        if rest is None:
            return [None] * vectors
        left = self.b.sub(rest, INDEX((vectors - 1) * self.lanes))
        return [*[None] * (vectors - 1), self.lanes_below(left)]
