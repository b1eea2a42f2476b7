"""Lower generated source to LLVM code: the functions of a program, in one module.

It supports the language of `codegen/source`: names that keep their type, loops over ranges, views, and calls
of functions that never raise.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils, funcdesc
from numba.core.bytecode import FunctionIdentity
from numba.core.environment import Environment

from nnjit.codegen.numba.cache import functions_in
from nnjit.codegen.numba.emit import slot_for
from nnjit.codegen.numba.expressions import Expressions, Unsupported, Value
from nnjit.codegen.numba.types import (
    INDEX,
    CodeLibrary,
    Descriptor,
    Dispatcher,
    Flags,
    Identity,
    NumbaType,
    TargetContext,
    TypingContext,
)


@dataclass(frozen=True)
class Source:
    """A Python function, whose text its module's loader or its file has."""

    identity: Identity

    @property
    def tree(self) -> ast.FunctionDef:
        """The function's definition."""
        code = self.identity.code
        found = functions_in(self._text(code.co_filename)).get(code.co_firstlineno)
        if found is None:
            raise Unsupported(f"{code.co_filename}: no function in line {code.co_firstlineno}")
        return found

    def _text(self, path: str) -> str:
        get_source = getattr(self.names["__loader__"], "get_source", None)
        if get_source is not None:
            return str(get_source(self.names["__name__"]))
        return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""

    @property
    def names(self) -> dict[str, Any]:
        """The function's globals."""
        names: dict[str, Any] = self.identity.func.__globals__
        return names


def result_of(source: Source) -> NumbaType:
    """The type of a function's result: an integer, or none."""
    returns = [n for n in ast.walk(source.tree) if isinstance(n, ast.Return) and n.value is not None]
    return types.int64 if returns else types.none


class Lowering:
    """Writes the module of one program.

    Args:
        rules: what Numba knows about types.
        context: Numba's lowering for this processor.
        library: gets the module.
        flags: the options of the program.
    """

    def __init__(
        self, rules: TypingContext, context: TargetContext, library: CodeLibrary, flags: Flags
    ) -> None:
        self.rules, self.context, self.library, self.flags = rules, context, library, flags
        self.module = library.create_ir_module("program")
        self.kernels: dict[tuple[Dispatcher, tuple[NumbaType, ...]], Descriptor] = {}

    def program(self, source: Source, arguments: tuple[NumbaType, ...]) -> FunctionWriter:
        """Write `source` for arguments of these types, and all kernels that it calls."""
        function = self.function(source, arguments)
        self.context.post_lowering(self.module, self.library)
        module = llvm.parse_assembly(cgutils.normalize_ir_text(str(self.module)))
        self.library._final_module.link_in(module)  # Numba would simplify each function first, twice
        return function

    def function(
        self, source: Source, arguments: tuple[NumbaType, ...], *, has_noalias: bool = False
    ) -> FunctionWriter:
        """Write a function.

        Args:
            has_noalias: whether no two of its arguments point to the same memory.
        """
        writer = FunctionWriter(self, source, self._descriptor(source, arguments, has_noalias))
        writer.write()
        return writer

    def kernel(self, dispatcher: Dispatcher, arguments: tuple[NumbaType, ...]) -> Descriptor:
        """The descriptor of a function of this module, which is written at its first call.

        It is never inlined: LLVM compares the loops of a function with each other, so compiling a program of
        many layers as one function would take several times as long. A call takes 2 ns of a step.
        """
        key = (dispatcher, arguments)
        if key not in self.kernels:
            source = Source(FunctionIdentity.from_function(dispatcher.py_func))
            has_noalias = getattr(dispatcher._compiler.pipeline_class, "has_noalias", False)
            written = self.function(source, arguments, has_noalias=has_noalias)
            written.builder.function.linkage = "internal"
            written.builder.function.attributes.add("noinline")
            self.kernels[key] = written.fndesc
        return self.kernels[key]

    def _descriptor(self, source: Source, arguments: tuple[NumbaType, ...], has_noalias: bool) -> Descriptor:
        identity = source.identity
        return funcdesc.PythonFunctionDescriptor(
            native=True,
            modname=identity.func.__module__,
            qualname=identity.func_qualname,
            unique_name=identity.unique_name,
            doc="",
            typemap={},
            restype=result_of(source),
            calltypes={},
            args=tuple(identity.arg_names),
            kws=(),
            mangler=self.context.mangler,
            argtypes=arguments,
            noalias=has_noalias,
            abi_tags=[self.flags.get_mangle_string()],
            uid=identity.unique_id,
        )


class FunctionWriter:
    """Writes one function; keeps its names and the place of the next instruction."""

    def __init__(self, lowering: Lowering, source: Source, fndesc: Descriptor) -> None:
        self.lowering, self.source, self.fndesc = lowering, source, fndesc
        self.tree = source.tree
        self.env = Environment.from_fndesc(fndesc)
        self.context = lowering.context.subtarget(environment=self.env, fndesc=fndesc)
        self.context.declare_env_global(lowering.module, self.context.get_env_name(fndesc))
        function = self.context.declare_function(lowering.module, fndesc)
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))
        self.call_helper = self.context.call_conv.init_call_helper(self.builder)
        self.expressions = Expressions(
            lowering.kernel, lowering.rules, self.context, self.builder, source.names
        )

    def write(self) -> None:
        """Write the function."""
        call_conv, function = self.context.call_conv, self.builder.function
        given = call_conv.decode_arguments(self.builder, self.fndesc.argtypes, function)
        for name, kind, data in zip(self.fndesc.args, self.fndesc.argtypes, given, strict=True):
            self._assign(name, Value(kind, data))
        self._body(self.tree.body)
        if not self.builder.block.is_terminated:
            if self.fndesc.restype != types.none:
                raise Unsupported("an end without a result")
            call_conv.return_value(self.builder, self.context.get_dummy_value())

    # -- statements

    def _body(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            method = getattr(self, f"_write_{type(statement).__name__.lower()}", None)
            if method is None or self.builder.block.is_terminated:
                raise Unsupported(ast.unparse(statement))
            method(statement)

    def _write_expr(self, statement: ast.Expr) -> None:
        if not isinstance(statement.value, ast.Constant):  # a docstring
            self.expressions.value(statement.value)

    def _write_assign(self, statement: ast.Assign) -> None:
        (target,) = statement.targets
        if isinstance(target, ast.Tuple):
            if not isinstance(statement.value, ast.Tuple):
                raise Unsupported(ast.unparse(statement))
            values = [self.expressions.value(v) for v in statement.value.elts]
            for one, value in zip(target.elts, values, strict=True):
                self._store(one, value)
        else:
            self._store(target, self.expressions.value(statement.value))

    def _write_augassign(self, statement: ast.AugAssign) -> None:
        read = ast.BinOp(statement.target, statement.op, statement.value)
        self._store(statement.target, self.expressions.value(read))

    def _store(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self._assign(target.id, value)
        elif isinstance(target, ast.Subscript):
            place, kind = self.expressions.place(target)
            self.builder.store(self.expressions.cast(value, kind).data, place)
        else:
            raise Unsupported(ast.unparse(target))

    def _assign(self, name: str, value: Value) -> None:
        variables = self.expressions.variables
        if name not in variables:
            slot = slot_for(self.builder, value.data.type, name)
            variables[name] = Value(value.type, slot)
        if variables[name].type != value.type:
            raise Unsupported(f"{name}: {value.type} where it was {variables[name].type}")
        self.builder.store(value.data, variables[name].data)

    def _write_if(self, statement: ast.If) -> None:
        b, condition = self.builder, self.expressions.truth(statement.test)
        inside, otherwise, after = (b.append_basic_block(name) for name in ("then", "else", "endif"))
        b.cbranch(condition, inside, otherwise)
        for block, body in ((inside, statement.body), (otherwise, statement.orelse)):
            b.position_at_end(block)
            self._body(body)
            if not b.block.is_terminated:
                b.branch(after)
        b.position_at_end(after)

    def _write_for(self, statement: ast.For) -> None:
        target, call = statement.target, statement.iter
        if not (isinstance(target, ast.Name) and isinstance(call, ast.Call) and not statement.orelse):
            raise Unsupported(ast.unparse(statement.iter))
        if not isinstance(call.func, ast.Name) or call.func.id != "range":
            raise Unsupported(ast.unparse(call))
        limits = [self.expressions.cast(self.expressions.value(a), types.int64) for a in call.args]
        zero, one = (Value(types.int64, INDEX(k), k) for k in (0, 1))
        start, stop, step = [*([zero] if len(limits) == 1 else []), *limits, one][:3]
        if step.known == 0:
            raise Unsupported(ast.unparse(call))
        self._loop(target.id, start, stop, step, statement.body)

    def _loop(self, name: str, start: Value, stop: Value, step: Value, body: Sequence[ast.stmt]) -> None:
        """Count upwards, unless the step is known to be negative."""
        b = self.builder
        before, (test, inside, after) = b.block, map(b.append_basic_block, ("loop", "body", "endloop"))
        b.branch(test)
        b.position_at_end(test)
        index = b.phi(INDEX)
        index.add_incoming(start.data, before)
        b.cbranch(
            b.icmp_signed(">" if step.known is not None and step.known < 0 else "<", index, stop.data),
            inside,
            after,
        )
        b.position_at_end(inside)
        self._assign(name, Value(types.int64, index))
        self._body(body)
        if not b.block.is_terminated:
            index.add_incoming(b.add(index, step.data, flags=["nsw"]), b.block)
            b.branch(test)
        b.position_at_end(after)

    def _write_while(self, statement: ast.While) -> None:
        if statement.orelse:
            raise Unsupported("while with else")
        b = self.builder
        test, inside, after = (b.append_basic_block(name) for name in ("while", "body", "endwhile"))
        b.branch(test)
        b.position_at_end(test)
        b.cbranch(self.expressions.truth(statement.test), inside, after)
        b.position_at_end(inside)
        self._body(statement.body)
        if not b.block.is_terminated:
            b.branch(test)
        b.position_at_end(after)

    def _write_return(self, statement: ast.Return) -> None:
        if statement.value is None:
            raise Unsupported("return without a value")
        value = self.expressions.value(statement.value)
        if value.type != self.fndesc.restype:
            raise Unsupported(f"a result of type {value.type}")
        self.context.call_conv.return_value(self.builder, value.data)
