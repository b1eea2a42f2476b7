"""From a data source in a config to the arrays of a training: loading, splits and scaling."""

import nnjit.data.sources  # noqa: F401  # registers them; the name is the registry's from here on
from nnjit.data.dataset import Dataset, ProblemType
from nnjit.data.held_out import load_held
from nnjit.data.preparation import Part, Prepared, load, prepare, prepared
from nnjit.data.scaling import Affine, Scaling
from nnjit.data.source import Source, Split, sources
from nnjit.data.target import Target

__all__ = [
    "Affine",
    "Dataset",
    "Part",
    "Prepared",
    "ProblemType",
    "Scaling",
    "Source",
    "Split",
    "Target",
    "load",
    "load_held",
    "prepare",
    "prepared",
    "sources",
]
