"""The matrix product: a register-tiled kernel, as LLVM vector code for this CPU.

C (+)= A B, where A may have any strides, so X W and Xᵀ D are the same kernel, and B may be stored transposed.
The columns of C are computed in panels of a few vectors; a panel of B that is transposed or not full is first
packed on the stack. A tile of C stays in registers while the inner axis runs.

Reference: Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from llvmlite import ir

from nnjit.codegen.library.clock import is_arm
from nnjit.codegen.library.vector_emitter import VectorEmitter
from nnjit.codegen.numba.types import INDEX, LlvmFunction, LlvmModule, LlvmValue

DEPTH = 256  # elements of the inner axis at a time, so a packed panel stays in the first-level cache
ROWS = (12, 10, 8, 6, 4, 2, 1)  # the rows that a tile may have: a batch of ten is one tile
WORTH_PACKING = 32  # the rows of A from which packing a panel of B pays: it is then read at unit stride


class Tile(NamedTuple):
    """The shape of a kernel for one CPU.

    Args:
        bits: 32 or 64, the width of an element.
        lanes: elements of a vector.
        rows: rows of the tile of C kept in registers.
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
    if is_arm():  # LLVM knows no features of it on macOS. 8 rows spill no register, 12 do on a Neoverse N1
        return Tile(bits, 128 // bits, 8, 2)
    return Tile(bits, 128 // bits, 4, 2)


def emit_product(module: LlvmModule, name: str, tile: Tile) -> None:
    """Add to `module` the function `void name(A*, B*, C*, m, n, k, sai, sak, ldb, tb, ldc, add)`.

    A(i,k) is at A[i·sai + k·sak], C(i,j) at C[i·ldc + j], and B(k,j) at B[k·ldb + j], or if tb is not 0
    at B[j·ldb + k]. If add is not 0, the product is added to C.
    """
    _Emitter(module, tile).emit(name)


Masks: TypeAlias = Sequence[LlvmValue | None]
"""For each vector of a panel, the lanes to read and write; None for all."""


class Panel(NamedTuple):
    """Some columns of B, in code being written.

    Args:
        start: the first column.
        vectors: how many vectors the columns take.
        rest: how many columns there are; None if they fill the vectors.
        data: the address of its first element.
        stride: the distance of its rows.
    """

    start: LlvmValue
    vectors: int
    rest: LlvmValue | None
    data: LlvmValue
    stride: LlvmValue


class _Emitter(VectorEmitter):
    """Writes the function of one tile."""

    def __init__(self, module: LlvmModule, tile: Tile) -> None:
        super().__init__(module, tile.bits, tile.lanes)
        self.tile = tile

    def emit(self, name: str) -> None:
        """Write the function: a loop over parts of the inner axis."""
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
        # A thread or a rank may have a batch without rows, whose product is 0.
        end = b.select(b.icmp_signed(">", k, INDEX(0)), k, INDEX(1))
        with self.loop(INDEX(0), end, DEPTH) as start:
            self.start, self.depth = start, self.smaller(b.sub(k, start), INDEX(DEPTH))
            self.is_added = b.or_(is_added, b.icmp_signed(">", start, INDEX(0)))
            self.columns()
        b.ret_void()

    def columns(self) -> None:
        """Write the loop over panels of columns: full ones, then one of the remaining columns."""
        b, width = self.b, self.tile.columns
        whole = b.mul(b.sdiv(self.n, INDEX(width)), INDEX(width))
        with self.loop(INDEX(0), whole, width) as j:
            self.all_rows(self.panel(j, self.tile.vectors, None))
        rest = b.sub(self.n, whole)
        for vectors in range(1, self.tile.vectors + 1):
            low, high = INDEX((vectors - 1) * self.tile.lanes), INDEX(vectors * self.tile.lanes)
            with b.if_then(b.and_(b.icmp_signed(">", rest, low), b.icmp_signed("<=", rest, high))):
                self.all_rows(self.panel(whole, vectors, rest))

    def all_rows(self, panel: Panel) -> None:
        """Write the loops over the tiles of a panel: full ones, then ever smaller ones."""
        b, begin = self.b, INDEX(0)
        for rows in (r for r in ROWS if r <= self.tile.rows):
            count = b.mul(b.sdiv(b.sub(self.m, begin), INDEX(rows)), INDEX(rows))
            end = b.add(begin, count)
            with self.loop(begin, end, rows) as i:
                self.one_tile(i, rows, panel)
            begin = end

    def one_tile(self, i: LlvmValue, rows: int, panel: Panel) -> None:
        """Write a tile of some rows from row i on: its sums start as C or 0, grow, and are stored."""
        b, lanes = self.b, self.tile.lanes
        sums = {
            (r, v): self.sums[r * self.tile.vectors + v] for r in range(rows) for v in range(panel.vectors)
        }
        a = [
            b.gep(self.A, [self.at(b.add(i, INDEX(r)), self.sai, self.start, self.sak)]) for r in range(rows)
        ]
        c = [b.gep(self.C, [b.add(b.mul(b.add(i, INDEX(r)), self.ldc), panel.start)]) for r in range(rows)]
        masks = self.masks(panel.rest, panel.vectors)
        with b.if_else(self.is_added) as (then, otherwise):
            with then:
                for (r, v), slot in sums.items():
                    b.store(self.load(b.gep(c[r], [INDEX(v * lanes)]), masks[v]), slot)
            with otherwise:
                for slot in sums.values():
                    b.store(self.zero(), slot)
        self.add_products(sums, a, panel, masks)
        for (r, v), slot in sums.items():
            self.store(b.load(slot), b.gep(c[r], [INDEX(v * lanes)]), masks[v])

    def add_products(
        self, sums: Mapping[tuple[int, int], LlvmValue], a: Sequence[LlvmValue], panel: Panel, masks: Masks
    ) -> None:
        """Write the loop over the inner axis, which adds products of A's rows and the panel's vectors."""
        b = self.b
        fma = self.intrinsic(f"llvm.fma.{self.suffix}", self.vector, [self.vector] * 3)
        with self.loop(INDEX(0), self.depth, 1) as k:
            line = b.gep(panel.data, [b.mul(k, panel.stride)])
            vector = [self.load(b.gep(line, [INDEX(v * self.lanes)]), masks[v]) for v in range(panel.vectors)]
            along = b.mul(k, self.sak)
            for r, row in enumerate(a):
                factor = self.splat(b.load(b.gep(row, [along])))
                for v in range(panel.vectors):
                    b.store(b.call(fma, [factor, vector[v], b.load(sums[r, v])]), sums[r, v])

    # -- panels of B

    def panel(self, j: LlvmValue, vectors: int, rest: LlvmValue | None) -> Panel:
        """The panel of B from column j on, packed if it cannot be read in place."""
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
        return Panel(j, vectors, rest, b.load(data), b.load(stride))

    def pack(self, first: LlvmValue, vectors: int, rest: LlvmValue | None) -> None:
        """Copy a panel of B, padded with zeros."""
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

    def pack_transposed(self, j: LlvmValue, vectors: int, rest: LlvmValue | None) -> None:
        """Transpose a panel, a square of `lanes` by `lanes` in registers at a time.

        Squares at the edges of B are masked; those below the panel's depth are in its memory, and not read.
        """
        b, lanes = self.b, self.tile.lanes
        for v in range(vectors):
            column, target = b.add(j, INDEX(v * lanes)), b.gep(self.packed, [INDEX(v * lanes)])
            left = INDEX(lanes) if rest is None else b.sub(rest, INDEX(v * lanes))
            squares = b.mul(b.sdiv(self.depth, INDEX(lanes)), INDEX(lanes))
            squares = b.select(b.icmp_signed(">=", left, INDEX(lanes)), squares, INDEX(0))
            with self.loop(INDEX(0), squares, lanes) as k:
                self.write_square(
                    [self.load(self.column_of_b(column, c, k), None) for c in range(lanes)], target, k
                )
            with self.loop(squares, self.depth, lanes) as k:
                source, deep = self.column_of_b(column, 0, k), b.sub(self.depth, k)
                b.call(self.edge(), [source, self.ldb, left, deep, b.gep(target, [self.packed_at(k)])])

    def edge(self) -> LlvmFunction:
        """A function of the module that transposes a square at an edge of B.

        Its arguments are the address and stride of the columns, how many columns and elements of each there
        are, and the address of the square in the panel.
        """
        name, pointer = f"nnjit_edge_f{self.bits}", self.real.as_pointer()
        if name in self.module.globals:
            return self.module.globals[name]
        kind = ir.FunctionType(ir.VoidType(), [pointer, INDEX, INDEX, INDEX, pointer])
        function = ir.Function(self.module, kind, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        outer, self.b = self.b, ir.IRBuilder(function.append_basic_block("entry"))
        source, stride, columns, depth, target = function.args
        inside, none = self.lanes_below(self.smaller(depth, INDEX(self.lanes))), ir.Constant(self.mask, None)
        rows = []
        for c in range(self.lanes):
            is_there = self.b.icmp_signed("<", INDEX(c), columns)
            place = self.b.gep(source, [self.b.mul(stride, INDEX(c))])
            rows.append(self.load(place, self.b.select(is_there, inside, none)))
        self.write_square(rows, target, INDEX(0))
        self.b.ret_void()
        self.b = outer
        return function

    def write_square(self, rows: Sequence[LlvmValue], target: LlvmValue, k: LlvmValue) -> None:
        """Write the transpose of a square of vectors to a panel, from its row k on."""
        for r, vector in enumerate(self.transposed(rows)):
            self.store(vector, self.b.gep(target, [self.packed_at(self.b.add(k, INDEX(r)))]), None)

    def packed_at(self, k: LlvmValue) -> LlvmValue:
        """The offset of row k of a packed panel."""
        return self.b.mul(k, INDEX(self.tile.columns))

    def column_of_b(self, column: LlvmValue, c: int, k: LlvmValue) -> LlvmValue:
        """The address of element k of the c-th column from `column` on, of a B that is stored transposed."""
        place = self.at(self.b.add(column, INDEX(c)), self.ldb, self.b.add(self.start, k), INDEX(1))
        return self.b.gep(self.B, [place])

    def transposed(self, rows: Sequence[LlvmValue]) -> list[LlvmValue]:
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

    def masks(self, rest: LlvmValue | None, vectors: int) -> Masks:
        """Return a mask for each vector of a panel of `rest` columns; None for a full vector.

        All but the last are full; a masked store is several times slower.
        """
        if rest is None:
            return [None] * vectors
        left = self.b.sub(rest, INDEX((vectors - 1) * self.lanes))
        return [*[None] * (vectors - 1), self.lanes_below(left)]
