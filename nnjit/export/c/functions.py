"""Translate the functions of a generated program to C, for a batch of one example.

It supports the language of `codegen/source`. A function is translated for its argument types, as Numba
compiles it; known lengths, such as the number of rows, disappear.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from nnjit.codegen.source.lines import Lines
from nnjit.export.c.expressions import Expressions
from nnjit.export.c.library import Unsupported, Used
from nnjit.export.c.text import WIDTH, comment
from nnjit.export.c.values import C_TYPES, INDEX, Value, binary, converted, index, pointer


@dataclass(frozen=True)
class Function:
    """A translated function.

    Args:
        taken: the positions of the arguments that it takes.
        written: the positions of the arguments that it writes to.
    """

    name: str
    text: str
    taken: tuple[int, ...]
    written: frozenset[int]


class Translation:
    """Translates the functions of a program.

    Args:
        source: the program, in generated Python.
        memory: its arrays as (name, dtype), in the order of its table.
        parts: name of a function -> the layers that it computes.
    """

    def __init__(
        self, source: str, memory: Sequence[tuple[str, str]], parts: Mapping[str, Sequence[str]]
    ) -> None:
        self.memory, self.parts, self.used = memory, parts, Used()
        self.functions: dict[tuple[object, ...], Function] = {}
        self.trees = {n.name: n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}

    def run(self) -> Lines:
        """Translate the body of the program for one example; `functions` then holds what it calls.

        Raises:
            Unsupported: C cannot express something in it.
        """
        writer = _Writer(self, {"memory": index(0), "rows": index(1)})
        writer.block(self.trees["run"].body)
        return writer.lines

    def function(self, name: str, arguments: Sequence[Value]) -> Function:
        """The function for arguments of these types, written at its first call."""
        key = (name, *(v.type if v.constant is None else v.constant for v in arguments))
        if key not in self.functions:
            self.functions[key] = self._translated(name, arguments)
        return self.functions[key]

    def _translated(self, name: str, arguments: Sequence[Value]) -> Function:
        tree = self.trees[name]
        parameters = [a.arg for a in tree.args.args]
        pairs = list(zip(parameters, arguments, strict=True))
        writer = _Writer(self, {parameter: _parameter(parameter, value) for parameter, value in pairs})
        writer.block(tree.body)
        taken = tuple(k for k, p in enumerate(parameters) if p in identifiers(str(writer.lines)))
        written = frozenset(k for k in taken if parameters[k] in writer.written)
        star = "*restrict " if "ROWS" in ast.unparse(tree.decorator_list[0]) else "*"
        declared = [_declared(*pairs[k], star, is_written=k in written) for k in taken]
        same = sum(key[0] == name for key in self.functions)
        c_name = f"{name}_{same + 1}" if same else name
        body = textwrap.indent(str(writer.lines), "    ")
        layers = self.parts.get(name, ())
        about = comment([", ".join(layers)]) if layers else ""
        text = f"{about}{wrapped(f'static void {c_name}(', declared or ['void'])}\n{{\n{body}\n}}\n"
        return Function(c_name, text, taken, written)


def identifiers(text: str) -> set[str]:
    """The names in some C code."""
    return set(re.findall(r"[A-Za-z_]\w*", text))


def _parameter(name: str, value: Value) -> Value:
    """An argument as its function sees it."""
    if value.base is not None:
        return pointer(name, value.type)
    return value if value.constant is not None else Value(name, INDEX)


def wrapped(begin: str, parameters: Sequence[str]) -> str:
    """Wrap the head or a call of a function into lines, between parameters."""
    lines, indent = [begin], " " * len(begin)
    for k, parameter in enumerate(parameters):
        end = ")" if k == len(parameters) - 1 else ","
        if len(lines[-1]) + len(parameter) + 2 > WIDTH:
            lines.append(indent)
        space = "" if lines[-1] in (begin, indent) else " "
        lines[-1] += f"{space}{parameter}{end}"
    return "\n".join(lines)


def _declared(name: str, value: Value, star: str, *, is_written: bool) -> str:
    """The declaration of a parameter."""
    if value.base is None:
        return f"int {name}"
    return f"{'' if is_written else 'const '}{C_TYPES[value.type]} {star}{name}"


class _Writer:
    """Writes one function; keeps the values of its names, and the pointers that it writes to."""

    def __init__(self, translation: Translation, names: dict[str, Value]) -> None:
        self.translation, self.used = translation, translation.used
        self.expressions = Expressions(names, translation.used, translation.memory)
        self.lines = Lines()
        self.written: set[str] = set()

    def block(self, body: Sequence[ast.stmt]) -> None:
        """Append statements."""
        for statement in body:
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        value = self.expressions.value
        match statement:
            case ast.Assign([ast.Name(name)], right):
                self._assign(name, value(right))
            case ast.Assign([ast.Subscript(view, at)], right):
                target = self.expressions.element(view, at)
                self._written(value(view))
                self.lines.add(f"{target.text} = {converted(value(right), target.type).text};")
            case ast.For(ast.Name(name), ast.Call(ast.Name("range"), bounds), body):
                self._loop(name, range(*map(self.expressions.length, bounds)), body)
            case ast.Expr(ast.Call(ast.Name(name), arguments)):
                self._call(name, [*map(value, arguments)])
            case _:
                raise Unsupported(ast.unparse(statement))

    def _assign(self, name: str, value: Value) -> None:
        """Assign a value to a name; known indices and pointers are inlined."""
        names = self.expressions.names
        if value.constant is not None or value.base is not None:
            names[name] = value
        elif name in names:
            self.lines.add(f"{name} = {converted(value, names[name].type).text};")
        else:
            self.lines.add(f"{_local(value.type)} {name} = {value.text};")
            names[name] = Value(name, value.type)

    def _loop(self, name: str, turns: range, body: Sequence[ast.stmt]) -> None:
        if len(turns) == 1:
            self.expressions.names[name] = index(turns[0])
            self.block(body)
        elif turns:
            sign, step = (
                ("<", f"{name} += {turns.step}") if turns.step > 0 else (">", f"{name} -= {-turns.step}")
            )
            step = {1: f"{name}++", -1: f"{name}--"}.get(turns.step, step)
            with self._braces(f"for (int {name} = {turns.start}; {name} {sign} {turns.stop}; {step})"):
                self.expressions.names[name] = Value(name, INDEX)
                self.block(body)

    @contextmanager
    def _braces(self, head: str) -> Iterator[None]:
        """Write a block; declarations inside end with it."""
        outer = dict(self.expressions.names)
        with self.lines.block(f"{head} {{"):
            yield
        self.lines.add("}")
        self.expressions.names = outer

    # -- calls

    def _call(self, name: str, arguments: list[Value]) -> None:
        if name in self.translation.trees:
            function = self.translation.function(name, arguments)
            self.written.update(str(arguments[k].base) for k in function.written)
            self._line(function.name, *(arguments[k] for k in function.taken))
        elif name in ("gemm", "blas_gemm"):
            self._product(*arguments)
        elif name == "gemm_each":
            self._products(*arguments)
        elif name == "copy":
            view, size, out = arguments
            self._written(out)
            size = binary("*", size, Value(f"sizeof({C_TYPES[out.type]})", INDEX))
            self._line("memcpy", out, view, size)
        elif name == "argsort_each":
            count, n, x, order = arguments
            if x.type not in ("f32", "f64"):
                raise Unsupported(f"{name} of integers")
            self._written(order)
            self._line(self.used.add("argsort", x.type), count, n, x, order)
        else:
            raise Unsupported(name)

    def _product(
        self, ta: Value, tb: Value, m: Value, n: Value, k: Value, a: Value, lda: Value, b: Value, ldb: Value,
        add: Value, c: Value, ldc: Value,
    ) -> None:  # fmt: skip
        """C = op(A) op(B); flags say which is transposed."""
        if add.constant != 0:
            raise Unsupported("a product that accumulates")
        self._written(c)
        left, right = _strides(ta, lda), _strides(tb, ldb)
        self._line(self.used.add("multiply", c.type), m, n, k, a, *left, b, *right, c, ldc)

    def _products(
        self, count: Value, ta: Value, tb: Value, m: Value, n: Value, k: Value, a: Value, b: Value, c: Value
    ) -> None:
        self._written(c)
        left, right = _strides(ta, m if ta.constant else k), _strides(tb, k if tb.constant else n)
        self._line(self.used.add("multiply_each", c.type), count, m, n, k, a, *left, b, *right, c)

    def _written(self, view: Value) -> None:
        self.written.add(str(view.base))

    def _line(self, function: str, *arguments: Value) -> None:
        texts = [a.text for a in arguments]
        self.lines.add(*f"{wrapped(function + '(', texts)};".split("\n"))


def _strides(is_transposed: Value, rows: Value) -> tuple[Value, Value]:
    """The distances of successive rows and columns of a matrix whose rows in memory are `rows` apart."""
    return (index(1), rows) if is_transposed.constant else (rows, index(1))


def _local(type: str) -> str:
    """The type of a variable: a boolean is an int."""
    return "int" if type == "b1" else C_TYPES[type]
