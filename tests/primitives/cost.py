"""What evaluating a graph costs, counted: in additions of one element of an array that lies in the cache.

An operation counts each element that it computes, times a weight; a reduction, each that it reads; a product,
each multiply-add; and every element of an argument that is read and of a result that is written counts one
more. Views count nothing: in kernels they are index maps. The weights are measured, not chosen: the time of a
kernel over 2,000 elements of f64 (AVX2, Zen 3), and of LAPACK for a matrix of 100 × 100, by that of an
addition, rounded. Only div and sqrt have more than the measured 2, what their instructions take where nothing
else is waited for: that makes derivatives dearer, since it is there that they stand.
"""

from __future__ import annotations

import math

from nnjit.ir import Graph, Node, with_rows
from nnjit.ir.graph import constant_p, input_p

ROWS = 256  # of the batch axis

# fmt: off
WEIGHTS = {  # of an element; 1 for every other operation
    **dict.fromkeys(("div", "sqrt", "root", "corner", "xdivy"), 4),
    **dict.fromkeys(("exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "sigmoid"), 5),
    **dict.fromkeys(("entr", "xlogy", "xlog1py"), 5),
    **dict.fromkeys(("softplus", "logaddexp", "random_uniform", "expm1mx"), 10),
    **dict.fromkeys(("erf", "erfc", "erfcx", "exp2", "log2", "arcsin", "arccos", "hypot", "rel_entr"), 20),
    **dict.fromkeys(("log10", "cosh", "remainder", "fmod", "argsort", "erfinv", "erfcinv"), 40),
    **dict.fromkeys(("cbrt", "tan", "sinh", "arctan", "gamma", "gammaln", "pow", "expi"), 70),
    **dict.fromkeys(("arctan2", "arcsinh", "arccosh", "arctanh"), 100),
}
SOLVERS = {  # of rows × columns × the smaller of both
    "solve": 1, "solve_triangular": 1, "cholesky": 1, "logabsdet": 1, "det_sign": 1, "det": 1,
    "orthogonal": 5, "eigenvectors": 14, "singular_vectors": 25, "pinv": 30,
    "cofactors": 60, "cofactor_change": 60,
}
# fmt: on


def cost(graph: Graph) -> int:
    """What evaluating `graph` costs, with a batch of `ROWS` rows."""
    nodes = graph.nodes
    read = [n for n in nodes if n.primitive is input_p]
    return sum(map(_work, nodes)) + sum(map(_size, (*read, *graph.outputs)))


def _work(node: Node) -> int:
    kind = node.primitive.kind
    if node.primitive in (input_p, constant_p) or kind in ("view", "reshape"):
        return 0
    if kind == "reduce":
        return _size(node.inputs[0])
    if kind == "matmul":
        return _multiply_adds(node)
    if node.primitive.name in SOLVERS:
        return _solved(node)
    return _size(node) * WEIGHTS.get(node.primitive.name, 1)


def _multiply_adds(node: Node) -> int:
    """Each element of both arguments together: √(m k · k n · m n) = m k n, for each matrix of a stack."""
    stack = math.prod(with_rows(node.shape[:-2], ROWS)) if node.primitive.name == "batch_matmul" else 1
    sizes = [_size(n) // stack for n in (*node.inputs, node)]
    return stack * math.isqrt(math.prod(sizes))


def _solved(node: Node) -> int:
    matrix, *others = node.inputs
    work = SOLVERS[node.primitive.name] * _size(matrix) * min(with_rows(matrix.shape[-2:], ROWS))
    return work + sum(_size(b) * matrix.shape[-1] for b in others if isinstance(matrix.shape[-1], int))


def _size(node: Node) -> int:
    return math.prod(with_rows(node.shape, ROWS))
