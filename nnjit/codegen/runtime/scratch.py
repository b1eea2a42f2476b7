"""Memory for the time of a call: what routines work in, whose size they know better than who plans memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nnjit.codegen.runtime.views import IS_PLAIN, is_view, pointer_of, view_of, view_type


def _reserve_plain(like: Any, size: int) -> np.ndarray:
    return np.empty(size, like.dtype if isinstance(like, np.ndarray) else like)


@intrinsic
def _reserve_native(typingctx: Any, like: Any, size: Any) -> Any:
    """A view of `size` new elements, to be released; of the dtype `like`, or that of the view `like`.

    Numba raises MemoryError where there is no memory.
    """
    element = like.dtype if is_view(like) else like.instance_type

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_data_type(element)
        length = builder.mul(args[1], ir.Constant(args[1].type, context.get_abi_sizeof(kind)))
        data = builder.bitcast(context.nrt.allocate(builder, length), kind.as_pointer())
        return view_of(context, builder, element, data, args[1])

    return view_type(element)(like, types.intp), build


def _release_plain(view: np.ndarray) -> None:
    pass


@intrinsic
def _release_native(typingctx: Any, view: Any) -> Any:
    """Give the memory of a reserved view back."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = pointer_of(context, builder, view, args[0])
        context.nrt.free(builder, builder.bitcast(data, cgutils.voidptr_t))
        return context.get_dummy_value()

    return types.void(view), build


if IS_PLAIN:
    reserve, release = _reserve_plain, _release_plain
else:
    reserve, release = _reserve_native, _release_native
