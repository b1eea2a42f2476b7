"""Type aliases for the objects of Numba and llvmlite, which mypy cannot check: all are `Any`."""

from __future__ import annotations

from typing import Any, TypeAlias

from llvmlite import ir

LlvmValue: TypeAlias = Any
"""A constant, an argument or the result of an instruction (`llvmlite.ir.Value`)."""
LlvmType: TypeAlias = Any
"""The type of an `LlvmValue` (`llvmlite.ir.Type`)."""
LlvmBlock: TypeAlias = Any
LlvmFunction: TypeAlias = Any
"""A function being written or called (`llvmlite.ir.Function`)."""
LlvmModule: TypeAlias = Any
"""The module that holds functions while they are written (`llvmlite.ir.Module`)."""
Builder: TypeAlias = Any
"""Writes instructions at the end of a block (`llvmlite.ir.IRBuilder`)."""

NumbaType: TypeAlias = Any
"""One of Numba's types (`numba.types.Type`); called with argument types, it gives a signature."""
Signature: TypeAlias = Any
"""Argument types and a result type (`numba.core.typing.Signature`)."""
TypingContext: TypeAlias = Any
"""Numba's type inference: which function takes which types (`numba.core.typing.Context`)."""
TargetContext: TypeAlias = Any
"""How Numba lowers types and calls to LLVM for this processor (`numba.core.cpu.CPUContext`)."""
Dispatcher: TypeAlias = Any
"""A Python function compiled by `njit` (`numba.core.dispatcher.Dispatcher`)."""
Descriptor: TypeAlias = Any
"""Name, types and calling convention of a compiled function (`numba.core.funcdesc.FunctionDescriptor`)."""
Intrinsic: TypeAlias = tuple[Signature, Any]
"""The result of a function decorated with `numba.extending.intrinsic`: a signature and a code generator."""
CodeLibrary: TypeAlias = Any
"""A module on its way to machine code (`numba.core.codegen.CodeLibrary`)."""
Flags: TypeAlias = Any
"""Options of a compilation (`numba.core.compiler.Flags`)."""
CompilerState: TypeAlias = Any
"""Contexts, flags, and argument types of a compilation (`numba.core.compiler.StateDict`)."""
CompileResult: TypeAlias = Any
"""A compiled function as Numba caches and calls it (`numba.core.compiler.CompileResult`)."""
Identity: TypeAlias = Any
"""Names, code and arguments of a Python function (`numba.core.bytecode.FunctionIdentity`)."""
View: TypeAlias = Any
"""A pointer to elements; an array of one axis if bounds are checked, and in plain Python."""

INDEX = ir.IntType(64)
"""LLVM's type of lengths, offsets and counters."""
