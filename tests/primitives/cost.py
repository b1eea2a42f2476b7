"""Count the cost of evaluating a graph, in additions of one array element in the cache.

An operation counts each element it computes, times a weight; a reduction, each element it reads; a product,
each multiply-add; and each argument element read or result element written counts one more. Views are free:
in kernels they are index maps. The weights are measured, not chosen: a kernel's time over 2,000 elements of
f64 (AVX2, Zen 3), and LAPACK's for a 100 × 100 matrix, relative to an addition's, rounded. Only div and sqrt
weigh more than the measured 2: the cost of their instructions when nothing else is waited for. That makes
derivatives, where they mostly occur, more expensive.
"""

from __future__ import annotations

import math

from nnjit.ir import Graph, Node, with_rows
from nnjit.ir.graph import constant_p, input_p

ROWS = 256  # of the batch axis

# fmt: off
WEIGHTS = {  # per element; 1 for every other operation
    **dict.fromkeys(("div", "sqrt", "root", "corner", "xdivy"), 4),
    **dict.fromkeys(("exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "sigmoid"), 5),
    **dict.fromkeys(("entr", "xlogy", "xlog1py"), 5),
    **dict.fromkeys(("softplus", "logaddexp", "random_uniform", "expm1mx"), 10),
    **dict.fromkeys(("erf", "erfc", "erfcx", "exp2", "log2", "arcsin", "arccos", "hypot", "rel_entr"), 20),
    **dict.fromkeys(("log10", "cosh", "remainder", "fmod", "argsort", "erfinv", "erfcinv"), 40),
    **dict.fromkeys(("cbrt", "tan", "sinh", "arctan", "gamma", "gammaln", "pow", "expi"), 70),
    **dict.fromkeys(("arctan2", "arcsinh", "arccosh", "arctanh"), 100),
}
SOLVERS = {  # per rows × columns × the smaller of both
    "solve": 1, "solve_triangular": 1, "cholesky": 1, "logabsdet": 1, "det_sign": 1, "det": 1,
    "orthogonal": 5, "eigenvectors": 14, "singular_vectors": 25, "pinv": 30,
    "cofactors": 60, "cofactor_change": 60,
}
# fmt: on


def cost(graph: Graph) -> int:
    """The cost of evaluating `graph`, with a batch of `ROWS` rows."""
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
    """√(m k · k n · m n) = m k n, for each matrix of a stack."""
    stack = math.prod(with_rows(node.shape[:-2], ROWS)) if node.primitive.name == "batch_matmul" else 1
    sizes = [_size(n) // stack for n in (*node.inputs, node)]
    return stack * math.isqrt(math.prod(sizes))


def _solved(node: Node) -> int:
    matrix, *others = node.inputs
    work = SOLVERS[node.primitive.name] * _size(matrix) * min(with_rows(matrix.shape[-2:], ROWS))
    return work + sum(_size(b) * matrix.shape[-1] for b in others if isinstance(matrix.shape[-1], int))


def _size(node: Node) -> int:
    return math.prod(with_rows(node.shape, ROWS))
