"""Write the C file of a prediction, and its header."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnjit.errors import UserError
from nnjit.export.c.functions import Translation, identifiers
from nnjit.export.c.library import Unsupported
from nnjit.export.c.lowering import INPUT, OUTPUT, lower
from nnjit.export.c.text import array, comment, string
from nnjit.export.c.values import C_TYPES
from nnjit.ir import Graph
from nnjit.ir.types import DTYPES, SHORT

HEADER = """\
{comment}
#ifndef NNJIT_PREDICT_H
#define NNJIT_PREDICT_H

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
    """What a person who calls the prediction has to know.

    Args:
        title: one line.
        notes: what the inputs and outputs are, in paragraphs.
        classes: the names of the classes; () if the outputs are not those of one target of classes.
    """

    title: str
    notes: Sequence[str] = ()
    classes: Sequence[str] = ()


@dataclass(frozen=True)
class Document:
    """The texts of the files, and how much memory they describe in bytes.

    Args:
        constants: of weights, which a compiler puts into read-only memory.
        buffers: of static memory that a prediction writes to.
    """

    source: str
    header: str
    constants: int
    buffers: int


def document(graph: Graph, names: Mapping[bytes, str], description: Description) -> Document:
    """The files of a prediction (x) → (y).

    Args:
        names: those of arrays by their bytes.

    Raises:
        UserError: C cannot express an operation.
    """
    lowered = lower(graph, names)
    program, (x,), (y,) = lowered.program, graph.inputs, graph.outputs
    memory = [(OUTPUT if name == "out0" else name, dtype) for name, dtype in program.memory.items()]
    translation = Translation(program.source, memory, lowered.parts)
    try:
        body = str(translation.run())
    except Unsupported as error:
        raise UserError(f"this network cannot be written in C: {error}; export to another format") from None
    used = identifiers(body)
    constants = {name: values for name, values in lowered.constants.items() if name in used}
    buffers = {name: dtype for name, dtype in memory if name in used and name in program.work}
    classes, type = description.classes, C_TYPES[SHORT[x.dtype]]
    sizes = {
        "inputs": x.type.row_size,
        "outputs": y.type.row_size,
        "constants": sum(values.nbytes for values in constants.values()),
        "buffers": sum(program.work[name] * DTYPES[dtype].itemsize for name, dtype in buffers.items())
        + y.type.row_size * y.dtype.itemsize * bool(classes),
    }
    sections = [
        *(array(name, values) for name, values in constants.items()),
        *(f"static {C_TYPES[dtype]} {name}[{program.work[name]}];\n" for name, dtype in buffers.items()),
        *([_names(classes)] if classes else []),
        *translation.used.texts(),
        *(function.text for function in translation.functions.values()),
        PREDICT.format(type=type, body=_body(body)),
        *([PREDICT_CLASS.format(type=type)] if classes else []),
    ]
    return Document(
        "\n".join([comment([description.title]), _includes("".join(sections)), *sections]),
        HEADER.format(
            comment=comment([description.title, *description.notes]), type=type, **sizes,
            classes=CLASSES.format(type=type, count=len(classes)) if classes else "",
        ),
        sizes["constants"], sizes["buffers"],
    )  # fmt: skip


def _body(body: str) -> str:
    unused = "" if INPUT in identifiers(body) else f"(void){INPUT};\n"
    return textwrap.indent(unused + body, "    ")


def _includes(text: str) -> str:
    headers = ["math.h", "stdint.h", *(["string.h"] if "memcpy" in identifiers(text) else [])]
    return "".join(f"#include <{name}>\n" for name in headers) + '\n#include "predict.h"\n'


def _names(classes: Sequence[str]) -> str:
    rows = "".join(f"    {string(name)},\n" for name in classes)
    return f"const char *const classes[{len(classes)}] = {{\n{rows}}};\n"
