"""Column kinds, one per file; importing this package registers them."""

from nnjit.data.encoding.kinds.base import ColumnEncoding, ColumnOptions, kinds
from nnjit.data.encoding.kinds.category import Category, CategoryEncoding
from nnjit.data.encoding.kinds.date import Date, DateEncoding
from nnjit.data.encoding.kinds.flag import Flag, FlagEncoding
from nnjit.data.encoding.kinds.left_out import Constant, Id, LeftOut
from nnjit.data.encoding.kinds.number import Number, NumberEncoding
from nnjit.data.encoding.kinds.text import Text, TextEncoding

AnyEncoding = NumberEncoding | CategoryEncoding | FlagEncoding | DateEncoding | TextEncoding | LeftOut

__all__ = [
    "AnyEncoding",
    "Category",
    "CategoryEncoding",
    "ColumnEncoding",
    "ColumnOptions",
    "Constant",
    "Date",
    "DateEncoding",
    "Flag",
    "FlagEncoding",
    "Id",
    "LeftOut",
    "Number",
    "NumberEncoding",
    "Text",
    "TextEncoding",
    "kinds",
]
