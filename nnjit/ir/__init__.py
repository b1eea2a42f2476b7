"""The intermediate representation: types, the node DAG, its verifier and interpreter."""

from nnjit.ir.graph import (
    Graph,
    Node,
    Primitive,
    Value,
    apply,
    beside,
    constant,
    consumers,
    foreign_inputs,
    is_open,
    new_input,
    node_names,
    origin,
    rebuild,
    scope,
    topological,
    tracing,
    type_of,
)
from nnjit.ir.interpret import interpret
from nnjit.ir.types import ArrayType, B, Dim, Shape, array_type, as_dtype, with_rows
from nnjit.ir.verify import verify

__all__ = [
    "ArrayType", "B", "Dim", "Graph", "Node", "Primitive", "Shape", "Value", "apply", "array_type",
    "as_dtype", "beside", "constant", "consumers", "foreign_inputs", "interpret", "is_open", "new_input",
    "node_names", "origin", "rebuild", "scope", "topological", "tracing", "type_of", "verify", "with_rows",
]  # fmt: skip
