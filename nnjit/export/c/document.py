"""Write the C file of a prediction and its header."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from nnjit.errors import UserError
from nnjit.export.c.functions import Translation, identifiers
from nnjit.export.c.library import Unsupported
from nnjit.export.c.lowering import INPUT, Lowered, lower
from nnjit.export.c.text import array, comment, string
from nnjit.export.c.values import C_TYPES
from nnjit.ir import Graph
from nnjit.ir.types import DTYPES, SHORT

T = TypeVar("T")

HEADER = """\
{comment}
#ifndef NNJIT_PREDICT_H
#define NNJIT_PREDICT_H

#ifdef __cplusplus
extern "C" {{
#endif

enum {{
    PREDICT_INPUTS = {inputs},
    PREDICT_OUTPUTS = {outputs},
    PREDICT_CONSTANT_BYTES = {constants},
    PREDICT_BUFFER_BYTES = {buffers}
}};

/* From x[PREDICT_INPUTS] to y[PREDICT_OUTPUTS], which must not overlap. Calls share their buffers: no two may
 * run at the same time. */
void predict(const {type} *x, {type} *y);

/* The same for n examples, one after another. */
void predict_batch(int n, const {type} *x, {type} *y);
{classes}
#ifdef __cplusplus
}}
#endif

#endif
"""

CLASSES = """
/* The names of the classes, in the order of y. */
extern const char *const classes[{count}];

/* The most probable class, an index into `classes`. */
int predict_class(const {type} *x);
"""

PREDICT = """\
void predict(const {type} *x, {type} *y)
{{
{body}
}}

void predict_batch(int n, const {type} *x, {type} *y)
{{
    for (int k = 0; k < n; k++)
        predict(x + (long)k * PREDICT_INPUTS, y + (long)k * PREDICT_OUTPUTS);
}}
"""

PREDICT_CLASS = """\
int predict_class(const {type} *x)
{{
    static {type} y[PREDICT_OUTPUTS];
    int best = 0;
    predict(x, y);
    for (int k = 1; k < PREDICT_OUTPUTS; k++)
        if (y[k] > y[best])
            best = k;
    return best;
}}
"""


@dataclass(frozen=True)
class Description:
    """Documentation for the callers of a prediction.

    Args:
        title: one line.
        notes: paragraphs on the inputs and outputs.
        classes: the names of the classes; () unless there is one target, of classes.
    """

    title: str
    notes: Sequence[str] = ()
    classes: Sequence[str] = ()


@dataclass(frozen=True)
class Document:
    """The texts of the files, and the memory that they need, in bytes.

    Args:
        constants: of weights, which compilers put into read-only memory.
        buffers: of static memory that a prediction writes to.
    """

    source: str
    header: str
    constants: int
    buffers: int


@dataclass(frozen=True)
class _Code:
    """The parts of the C file.

    Args:
        body: of `predict`.
        constants, buffers: the arrays that it uses.
        functions: the functions called, each after its own callees.
    """

    body: str
    constants: Mapping[str, np.ndarray]
    buffers: Mapping[str, tuple[str, int]]
    functions: Sequence[str]

    @classmethod
    def of(cls, lowered: Lowered) -> _Code:
        translation = Translation(lowered.source, lowered.memory, lowered.parts)
        try:
            body = str(translation.run())
        except Unsupported as error:
            mend = "export to another format"
            raise UserError(f"this network cannot be written in C: {error}; {mend}") from None
        functions = (*translation.used.texts(), *(f.text for f in translation.functions.values()))
        return cls(body, _used(lowered.constants, body), _used(lowered.buffers, body), functions)


def _used(arrays: Mapping[str, T], text: str) -> dict[str, T]:
    """The arrays used by some C code."""
    names = identifiers(text)
    return {name: array for name, array in arrays.items() if name in names}


def document(graph: Graph, names: Mapping[bytes, str], description: Description) -> Document:
    """Write the files of a prediction (x) → (y).

    Args:
        names: bytes of an array -> its name.

    Raises:
        UserError: C cannot express an operation.
    """
    code, (x,), (y,) = _Code.of(lower(graph, names)), graph.inputs, graph.outputs
    classes, type = description.classes, C_TYPES[SHORT[x.dtype]]
    sizes = {
        "inputs": x.type.row_size,
        "outputs": y.type.row_size,
        "constants": sum(values.nbytes for values in code.constants.values()),
        "buffers": sum(size * DTYPES[dtype].itemsize for dtype, size in code.buffers.values())
        + bool(classes) * y.type.row_size * y.dtype.itemsize,
    }
    header = HEADER.format(
        comment=comment([description.title, *description.notes]), type=type, **sizes,
        classes=CLASSES.format(type=type, count=len(classes)) if classes else "",
    )  # fmt: skip
    source = "\n".join([comment([description.title]), *_sections(code, type, classes)])
    return Document(source, header, sizes["constants"], sizes["buffers"])


def _sections(code: _Code, type: str, classes: Sequence[str]) -> Iterator[str]:
    """The file, without the comment at its head."""
    yield _includes("".join([code.body, *code.functions]))
    yield from (array(name, values) for name, values in code.constants.items())
    for name, (dtype, size) in code.buffers.items():
        yield f"static {C_TYPES[dtype]} {name}[{size}];\n"
    if classes:
        yield _names(classes)
    yield from code.functions
    yield PREDICT.format(type=type, body=_body(code.body))
    if classes:
        yield PREDICT_CLASS.format(type=type)


def _body(body: str) -> str:
    unused = "" if INPUT in identifiers(body) else f"(void){INPUT};\n"
    return textwrap.indent(unused + body, "    ")


def _includes(text: str) -> str:
    headers = ["math.h", "stdint.h", *(["string.h"] if "memcpy" in identifiers(text) else [])]
    return "".join(f"#include <{name}>\n" for name in headers) + '\n#include "predict.h"\n'


def _names(classes: Sequence[str]) -> str:
    rows = "".join(f"    {string(name)},\n" for name in classes)
    return f"const char *const classes[{len(classes)}] = {{\n{rows}}};\n"
