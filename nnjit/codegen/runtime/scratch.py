"""Work memory of routines during a call; only they know its size, so it cannot be planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nnjit.codegen.numba.emit import allocate, free
from nnjit.codegen.numba.types import (
    Builder,
    Intrinsic,
    LlvmValue,
    NumbaType,
    Signature,
    TargetContext,
    TypingContext,
)
from nnjit.codegen.runtime.views import IS_PLAIN, is_view, pointer_of, view_of, view_type


def _reserve_plain(like: Any, size: int) -> np.ndarray:
    return np.empty(size, like.dtype if isinstance(like, np.ndarray) else like)


@intrinsic
def _reserve_native(typingctx: TypingContext, like: NumbaType, size: NumbaType) -> Intrinsic:
    """A view of `size` new elements, to be released; its dtype is `like`, or that of the view `like`.

    Raises:
        MemoryError: no memory is left.
    """
    element = like.dtype if is_view(like) else like.instance_type

    def build(
        context: TargetContext, builder: Builder, signature: Signature, args: Sequence[LlvmValue]
    ) -> LlvmValue:
        kind = context.get_data_type(element)
        length = builder.mul(args[1], ir.Constant(args[1].type, context.get_abi_sizeof(kind)))
        data = builder.bitcast(allocate(context, builder, length), kind.as_pointer())
        return view_of(context, builder, element, data, args[1])

    return view_type(element)(like, types.intp), build


def _release_plain(view: np.ndarray) -> None:
    pass


@intrinsic
def _release_native(typingctx: TypingContext, view: NumbaType) -> Intrinsic:
    """Free the memory of a reserved view."""

    def build(
        context: TargetContext, builder: Builder, signature: Signature, args: Sequence[LlvmValue]
    ) -> LlvmValue:
        free(context, builder, pointer_of(context, builder, view, args[0]))
        return context.get_dummy_value()

    return types.void(view), build


if IS_PLAIN:
    reserve, release = _reserve_plain, _release_plain
else:
    reserve, release = _reserve_native, _release_native
