"""Load, split and scale the data of a config into training arrays."""

import nnjit.data.sources  # noqa: F401  # registers them; `sources` below is the registry
from nnjit.data.dataset import Contents, Dataset, contents_of, digest
from nnjit.data.fitting import Center
from nnjit.data.held_out import load_held_out
from nnjit.data.padding import Padding, find_padding
from nnjit.data.preparation import (
    Prepared,
    load,
    prepare,
    scale,
    split_and_encode,
    split_and_scale,
)
from nnjit.data.readings import Readings
from nnjit.data.scaling import Affine, Scaling
from nnjit.data.source import Source, Split, sources
from nnjit.data.storage.disk_rows import DiskRows
from nnjit.data.storage.parts import AnyPart, DiskPart, Part, spread_evenly
from nnjit.data.target import ProblemType, ProblemTypes, Takes, Target

__all__ = [
    "Affine",
    "AnyPart",
    "Center",
    "Contents",
    "Dataset",
    "DiskPart",
    "DiskRows",
    "Padding",
    "Part",
    "Prepared",
    "ProblemType",
    "ProblemTypes",
    "Readings",
    "Scaling",
    "Source",
    "Split",
    "Takes",
    "Target",
    "contents_of",
    "digest",
    "find_padding",
    "load",
    "load_held_out",
    "prepare",
    "scale",
    "sources",
    "split_and_encode",
    "split_and_scale",
    "spread_evenly",
]
