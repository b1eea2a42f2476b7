"""The data sources, one per file; importing this package registers them."""

from nnjit.data.sources.adding import Adding
from nnjit.data.sources.arrays import Arrays
from nnjit.data.sources.function import Function
from nnjit.data.sources.idx import Idx
from nnjit.data.sources.images import Images
from nnjit.data.sources.inline import Inline
from nnjit.data.sources.npy import Npy
from nnjit.data.sources.npz import Npz
from nnjit.data.sources.openml import Openml
from nnjit.data.sources.series import Series
from nnjit.data.sources.sklearn import Sklearn
from nnjit.data.sources.table import Csv, Table

__all__ = [
    "Adding", "Arrays", "Csv", "Function", "Idx", "Images", "Inline", "Npy", "Npz", "Openml", "Series",
    "Sklearn", "Table",
]  # fmt: skip
