"""The kinds of columns, one per file; importing this package registers them."""

from nnjit.data.encoding.kinds.base import ColumnEncoding, ColumnOptions, kinds
from nnjit.data.encoding.kinds.category import Category, CategoryEncoding
from nnjit.data.encoding.kinds.flag import Flag, FlagEncoding
from nnjit.data.encoding.kinds.left_out import Constant, Id, LeftOut
from nnjit.data.encoding.kinds.number import Number, NumberEncoding

AnyEncoding = NumberEncoding | CategoryEncoding | FlagEncoding | LeftOut

__all__ = [
    "AnyEncoding",
    "Category",
    "CategoryEncoding",
    "ColumnEncoding",
    "ColumnOptions",
    "Constant",
    "Flag",
    "FlagEncoding",
    "Id",
    "LeftOut",
    "Number",
    "NumberEncoding",
    "kinds",
]
