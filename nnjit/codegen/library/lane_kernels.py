"""The kernels of the lane products, as LLVM vector code for this CPU.

All three take the same arguments and use those they need: the vectors read or written at places and taps,
a matrix or a second array of vectors, and the lengths and strides of the axes. A tile of the result stays in
registers while the summed axes run. Each tile size has its own function, since LLVM allocates registers much
better for a function with one loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import product as pairs

from llvmlite import ir

from nnjit.codegen.library.matrix_product import Tile
from nnjit.codegen.library.vector_emitter import VectorEmitter
from nnjit.codegen.library.vector_loops import WIDTH
from nnjit.codegen.numba.types import INDEX, LlvmFunction, LlvmModule, LlvmValue

NEAR = 32 * 1024  # bytes that stay in the first-level cache while a pass reads them repeatedly
PLACES, COLUMNS = 64, 32  # the most that `packed` copies side by side
MOST_ROWS = 6  # the most taps of a tile of the weights
ARGUMENTS = ("groups", "step_a", "step_b", "step_c", "columns",
             "p0", "at_p0", "p1", "at_p1", "k0", "at_k0", "k1", "at_k1", "k2")  # fmt: skip
NAMES = ("lane_product", "lane_spread", "lane_weights")
LANE_SYMBOLS = {(name, bits): f"nnjit_{name}_f{bits}" for name in NAMES for bits in (32, 64)}


Tiles = dict[tuple[int, ...], LlvmValue]
"""Functions by the size of their tile, or values by their position in a tile."""


def emit_lane_products(module: LlvmModule, tile: Tile) -> None:
    """Add to `module` the functions `void name(A*, B*, C*, …)` of the three; `ARGUMENTS` follow the arrays.

    There are `groups` of examples, `step_a`, `step_b` and `step_c` elements apart in the arrays. A place is
    p0·at_p0 + p1·at_p1 vectors from the first; a tap is likewise, of axes k0, k1, k2, the last of stride 1.

    product: C[p,n] = Σ_k A[p+k] B[k,n]. spread: C[p+k] += Σ_n A[p,n] B[n,k], C being set to 0 before, of
    step_c elements. weights: C[k,n] += Σ_p A[p+k] B[p,n], the sums of each lane.
    """
    for kind in (_Product, _Spread, _Weights):
        kind(module, tile).emit()


class _Kernel(VectorEmitter, ABC):
    """Writes one of the three kernels: a function over the groups, and functions of its tiles.

    Attributes:
        name: one of `NAMES`.
        vectors: how many vectors the lanes of an element take.
        sums: how many vectors the largest tile has.
    """

    name: str
    near: tuple[int, ...] = ()  # sizes of its buffers, in elements

    def __init__(self, module: LlvmModule, tile: Tile) -> None:
        super().__init__(module, tile.bits, tile.lanes)
        self.vectors = WIDTH * 8 // tile.bits // tile.lanes
        self.sums = {512: 24, 256: 12}.get(tile.bits * tile.lanes, 8)
        self.width = INDEX(WIDTH * 8 // tile.bits)
        self.symbol = LANE_SYMBOLS[self.name, tile.bits]

    def emit(self) -> None:
        """Write the functions of the tiles, then the function over the groups."""
        tiles = self.tiles()
        pointer = self.real.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer] * 3 + [INDEX] * len(ARGUMENTS))
        function = ir.Function(self.module, kind, self.symbol)
        self.b = b = ir.IRBuilder(function.append_basic_block("entry"))
        first, second, third, *numbers = function.args
        self.size = dict(zip(ARGUMENTS, numbers, strict=True))
        self.buffers = [self.buffer(n) for n in self.near]
        with self.loop(INDEX(0), self.size["groups"], 1) as group:
            self.A = b.gep(first, [b.mul(group, self.size["step_a"])])
            self.B = b.gep(second, [b.mul(group, self.size["step_b"])])
            self.C = b.gep(third, [b.mul(group, self.size["step_c"])])
            self.body(tiles)
        b.ret_void()

    def buffer(self, elements: int) -> LlvmValue:
        """Memory on the stack."""
        data = self.b.alloca(ir.ArrayType(self.real, elements * WIDTH * 8 // self.bits))
        data.align = WIDTH
        return self.b.bitcast(data, self.real.as_pointer())

    @abstractmethod
    def tiles(self) -> Tiles:
        """The functions of the tiles, by their size."""

    @abstractmethod
    def body(self, tiles: Tiles) -> None:
        """Write the code for one group."""

    def function(self, size: Sequence[int], numbers: int, write: Callable[..., None]) -> LlvmFunction:
        """A function `void tile(A*, B*, C*, …)` with `numbers` more integers; `write` emits its body."""
        pointer = self.real.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer] * 3 + [INDEX] * numbers)
        function = ir.Function(self.module, kind, f"{self.symbol}_{'_'.join(map(str, size))}")
        function.linkage = "internal"
        function.attributes.add("noinline")
        self.b = ir.IRBuilder(function.append_basic_block("entry"))
        write(*function.args)
        self.b.ret_void()
        return function

    # -- what the three kernels share

    def some(self, count: LlvmValue, sizes: Sequence[int]) -> Iterator[tuple[int, LlvmValue]]:
        """Loops over `count` elements, `size` at a time: as often as fits for each size, in falling order."""
        b, begin = self.b, INDEX(0)
        for size in sizes:
            end = b.add(begin, b.mul(b.sdiv(b.sub(count, begin), INDEX(size)), INDEX(size)))
            with self.loop(begin, end, size) as index:
                yield size, index
            begin = end

    @contextmanager
    def two(
        self, first: LlvmValue, at_first: LlvmValue, second: LlvmValue, at_second: LlvmValue
    ) -> Iterator[tuple[LlvmValue, LlvmValue]]:
        """Loops over two axes; gives an element's offset and its number."""
        with self.loop(INDEX(0), first, 1) as i, self.loop(INDEX(0), second, 1) as j:
            yield self.at(i, at_first, j, at_second), self.at(i, second, j, INDEX(1))

    @contextmanager
    def parts(self, count: LlvmValue, size: LlvmValue) -> Iterator[tuple[LlvmValue, LlvmValue]]:
        """A loop over parts of `size` elements, the last shorter; gives the start and length of each."""
        b = self.b
        with self.loop(INDEX(0), b.sdiv(b.sub(b.add(count, size), INDEX(1)), size), 1) as turn:
            begin = b.mul(turn, size)
            yield begin, self.smaller(size, b.sub(count, begin))

    def outer_taps(self) -> AbstractContextManager[tuple[LlvmValue, LlvmValue]]:
        """Loops over the outer axes of the taps; gives a tap's offset from its place, and its number."""
        size = self.size
        return self.two(size["k0"], size["at_k0"], size["k1"], size["at_k1"])

    def element(self, data: LlvmValue, index: LlvmValue) -> LlvmValue:
        """The address of the vectors of an element."""
        return self.b.gep(data, [self.b.mul(index, self.width)])

    def all_vectors(self, place: LlvmValue, index: int = 0) -> list[LlvmValue]:
        """The vectors of the element `index` places after an address."""
        first = index * self.vectors
        return [
            self.load(self.b.gep(place, [INDEX((first + v) * self.lanes)]), None) for v in range(self.vectors)
        ]

    def factor(self, place: LlvmValue, index: int) -> LlvmValue:
        """An element of a matrix in all lanes."""
        return self.splat(self.b.load(self.b.gep(place, [INDEX(index)])))

    def slots(self, *axes: int) -> Tiles:
        """Stack slots for the sums of a tile, which LLVM keeps in registers."""
        return {index: self.b.alloca(self.vector) for index in pairs(*map(range, axes))}

    def grow(self, slot: LlvmValue, x: LlvmValue, y: LlvmValue) -> None:
        """Add the product x y to a sum."""
        fma = self.intrinsic(f"llvm.fma.{self.suffix}", self.vector, [self.vector] * 3)
        self.b.store(self.b.call(fma, [x, y, self.b.load(slot)]), slot)

    def sizes(self, most: int, *candidates: int) -> tuple[int, ...]:
        """The candidates up to `most`; 1 is always one."""
        return tuple(n for n in candidates if n <= max(most, 1))


class _Product(_Kernel):
    """Tiles of places by columns; the inner loops are over taps."""

    name = "lane_product"

    def tiles(self) -> Tiles:
        self.places = self.sizes(self.sums // (6 * self.vectors), 4, 2, 1)
        self.columns = self.sizes(self.sums // self.vectors, 6, 4, 2, 1)
        return {size: self.function(size, 7, self.tile(*size)) for size in pairs(self.places, self.columns)}

    def tile(self, places: int, columns: int) -> Callable[..., None]:
        def write(x: LlvmValue, w: LlvmValue, c: LlvmValue, *numbers: LlvmValue) -> None:
            at_p, along, k0, at_k0, k1, at_k1, k2 = numbers
            b, sums = self.b, self.slots(places, columns, self.vectors)
            for slot in sums.values():
                b.store(self.zero(), slot)
            with self.two(k0, at_k0, k1, at_k1) as (at, number):
                first = [self.element(x, b.add(at, b.mul(at_p, INDEX(p)))) for p in range(places)]
                start = b.gep(w, [b.mul(b.mul(number, k2), along)])
                with self.loop(INDEX(0), k2, 1) as k:
                    vectors = [self.all_vectors(self.element(f, k)) for f in first]
                    row = b.gep(start, [b.mul(k, along)])
                    for n in range(columns):
                        factor = self.factor(row, n)
                        for p, v in pairs(range(places), range(self.vectors)):
                            self.grow(sums[p, n, v], vectors[p][v], factor)
            for (p, n, v), slot in sums.items():
                out = self.element(c, b.mul(along, INDEX(p)))
                self.store(b.load(slot), b.gep(out, [INDEX((n * self.vectors + v) * self.lanes)]), None)

        return write

    def body(self, tiles: Tiles) -> None:
        b, size = self.b, self.size
        along = size["columns"]
        taps = [size[name] for name in ("k0", "at_k0", "k1", "at_k1", "k2")]
        with self.loop(INDEX(0), size["p0"], 1) as p0:
            for places, p1 in self.some(size["p1"], self.places):
                x = self.element(self.A, self.at(p0, size["at_p0"], p1, size["at_p1"]))
                row = b.mul(self.at(p0, size["p1"], p1, INDEX(1)), along)
                for columns, n in self.some(along, self.columns):
                    out = self.element(self.C, b.add(row, n))
                    data = [x, b.gep(self.B, [n]), out]
                    b.call(tiles[places, columns], [*data, size["at_p1"], along, *taps])


class _Spread(_Kernel):
    """For each place, tiles of taps; the inner loop is over columns."""

    name = "lane_spread"

    def tiles(self) -> Tiles:
        self.taps = self.sizes(self.sums // self.vectors, 12, 6, 4, 2, 1)
        return {(taps,): self.function((taps,), 2, self.tile(taps)) for taps in self.taps}

    def tile(self, taps: int) -> Callable[..., None]:
        def write(g: LlvmValue, w: LlvmValue, c: LlvmValue, columns: LlvmValue, along: LlvmValue) -> None:
            b, sums = self.b, self.slots(taps, self.vectors)
            places: Tiles = {
                (t, v): b.gep(c, [INDEX((t * self.vectors + v) * self.lanes)])
                for t, v in pairs(range(taps), range(self.vectors))
            }
            for index, slot in sums.items():
                b.store(self.load(places[index], None), slot)
            with self.loop(INDEX(0), columns, 1) as n:
                vectors, row = self.all_vectors(self.element(g, n)), b.gep(w, [b.mul(n, along)])
                for t in range(taps):
                    factor = self.factor(row, t)
                    for v in range(self.vectors):
                        self.grow(sums[t, v], vectors[v], factor)
            for index, slot in sums.items():
                self.store(b.load(slot), places[index], None)

        return write

    def body(self, tiles: Tiles) -> None:
        b, size = self.b, self.size
        along = b.mul(b.mul(size["k0"], size["k1"]), size["k2"])
        with self.loop(INDEX(0), size["step_c"], self.lanes) as i:
            self.store(self.zero(), b.gep(self.C, [i]), None)
        with self.two(size["p0"], size["at_p0"], size["p1"], size["at_p1"]) as (place, row):
            g = self.element(self.A, b.mul(row, size["columns"]))
            with self.outer_taps() as (at, number):
                w, into = b.gep(self.B, [b.mul(number, size["k2"])]), b.add(place, at)
                for taps, k2 in self.some(size["k2"], self.taps):
                    data = [g, b.gep(w, [k2]), self.element(self.C, b.add(into, k2))]
                    b.call(tiles[taps,], [*data, size["columns"], along])


class _Weights(_Kernel):
    """Tiles of taps by columns; the inner loops are over a few rows of places that stay in the nearest cache.

    If not even one row fits, the elements that a tile reads are first copied side by side: channels are often
    powers of two, so the elements of successive places fall on the same few lines of the cache.
    """

    name = "lane_weights"
    near = (PLACES * COLUMNS, PLACES * MOST_ROWS)

    def tiles(self) -> Tiles:
        self.taps = self.sizes(self.sums // 4, MOST_ROWS, 5, 4, 3, 2, 1) if self.sums >= 24 else (4, 3, 2, 1)
        self.columns = self.sizes(self.sums // self.taps[0], 4, 3, 2, 1)
        counts = sorted({*self.taps, *self.columns})
        self.gather = {(n,): self.function((n,), 4, self.gathered(n)) for n in counts}
        return {size: self.function(size, 6, self.tile(*size)) for size in pairs(self.taps, self.columns)}

    def gathered(self, count: int) -> Callable[..., None]:
        """Return what writes the code that copies `count` elements of each place side by side."""

        def write(x: LlvmValue, out: LlvmValue, _: LlvmValue, *axes: LlvmValue) -> None:
            b = self.b
            with self.two(*axes) as (at, number):
                source, target = self.element(x, at), self.element(out, b.mul(number, INDEX(count)))
                for t, v in pairs(range(count), range(self.vectors)):
                    place = [self.part(t, v)]
                    self.store(self.load(b.gep(source, place), None), b.gep(target, place), None)

        return write

    def tile(self, taps: int, columns: int) -> Callable[..., None]:
        def write(x: LlvmValue, g: LlvmValue, c: LlvmValue, *numbers: LlvmValue) -> None:
            along, at_g, *axes = numbers
            b = self.b
            for v in range(self.vectors):
                sums = self.slots(taps, columns)
                places: Tiles = {
                    (t, n): b.gep(self.element(c, b.mul(along, INDEX(t))), [self.part(n, v)])
                    for t, n in pairs(range(taps), range(columns))
                }
                for index, slot in sums.items():
                    b.store(self.load(places[index], None), slot)
                with self.two(*axes) as (at, number):
                    row, first = self.element(g, b.mul(number, at_g)), self.element(x, at)
                    right = [self.load(b.gep(row, [self.part(n, v)]), None) for n in range(columns)]
                    for t in range(taps):
                        left = self.load(b.gep(first, [self.part(t, v)]), None)
                        for n in range(columns):
                            self.grow(sums[t, n], left, right[n])
                for index, slot in sums.items():
                    self.store(b.load(slot), places[index], None)

        return write

    def part(self, index: int, v: int) -> LlvmValue:
        """The offset of vector `v` of the element `index`, in numbers."""
        return INDEX((index * self.vectors + v) * self.lanes)

    def body(self, tiles: Tiles) -> None:
        b, size = self.b, self.size
        rows = b.sdiv(INDEX(NEAR), b.mul(b.mul(size["p1"], size["columns"]), INDEX(WIDTH)))
        with b.if_else(b.icmp_signed(">", rows, INDEX(0))) as (near, far):
            with near:
                self.direct(tiles, rows)
            with far:
                self.packed(tiles)

    def direct(self, tiles: Tiles, most: LlvmValue) -> None:
        """Read both arrays in place, a few rows of places at a time."""
        b, size, along = self.b, self.size, self.size["columns"]
        with self.parts(size["p0"], most) as (low, rows):
            place, row = b.mul(low, size["at_p0"]), b.mul(b.mul(low, size["p1"]), along)
            axes = [along, rows, size["at_p0"], size["p1"], size["at_p1"]]
            with self.outer_taps() as (at, number):
                first, k = b.add(place, at), b.mul(number, size["k2"])
                for taps, k2 in self.some(size["k2"], self.taps):
                    x = self.element(self.A, b.add(first, k2))
                    for columns, n in self.some(along, self.columns):
                        out = self.element(self.C, b.add(b.mul(b.add(k, k2), along), n))
                        data = [x, self.element(self.B, b.add(row, n)), out]
                        b.call(tiles[taps, columns], [*data, along, *axes])

    def packed(self, tiles: Tiles) -> None:
        """Copy elements of a few places side by side: of some columns first, then of each tile of taps."""
        b, size, along = self.b, self.size, self.size["columns"]
        columns_near, taps_near = self.buffers
        most = INDEX(PLACES)
        length = self.smaller(size["p1"], most)
        with (
            self.parts(along, INDEX(COLUMNS)) as (begin, width),
            self.parts(size["p0"], b.sdiv(most, length)) as (low, rows),
            self.parts(size["p1"], length) as (left, run),
        ):
            count = b.mul(rows, run)
            g = self.element(self.B, b.add(b.mul(self.at(low, size["p1"], left, INDEX(1)), along), begin))
            for columns, n in self.some(width, self.columns):
                target = self.element(columns_near, b.mul(n, count))
                axes = [rows, b.mul(size["p1"], along), run, along]
                b.call(self.gather[columns,], [self.element(g, n), target, target, *axes])
            place = self.at(low, size["at_p0"], left, size["at_p1"])
            with self.outer_taps() as (at, number):
                first, k = b.add(place, at), b.mul(number, size["k2"])
                for taps, k2 in self.some(size["k2"], self.taps):
                    x = self.element(self.A, b.add(first, k2))
                    axes = [rows, size["at_p0"], run, size["at_p1"]]
                    b.call(self.gather[taps,], [x, taps_near, taps_near, *axes])
                    for columns, n in self.some(width, self.columns):
                        row = b.add(b.mul(b.add(k, k2), along), b.add(begin, n))
                        g = self.element(columns_near, b.mul(n, count))
                        axes = [along, INDEX(columns), INDEX(1), INDEX(0), count, INDEX(taps)]
                        b.call(tiles[taps, columns], [taps_near, g, self.element(self.C, row), *axes])
