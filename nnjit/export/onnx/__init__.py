"""Export a network as an ONNX file, which many runtimes read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnjit.errors import UserError
from nnjit.export.network import Network
from nnjit.export.onnx.model import model_of
from nnjit.runs.writing import write_atomically

LARGEST = 2**31
"""The most bytes of a file: protobuf's limit."""


def write(network: Network, path: Path) -> Sequence[Path]:
    """Write an ONNX file, checked with ONNX's own checker.

    Raises:
        UserError: ONNX has no operator for a layer's operation, or the arrays are too large for a file.
    """
    size = sum(array.nbytes for array in network.arrays.values())
    if size >= LARGEST - 2**20:
        raise UserError(
            f"the weights are {size:,} bytes, but an ONNX file holds at most {LARGEST:,}; export to numpy"
        )
    from onnx import checker

    model = model_of(network)
    checker.check_model(model, full_check=True)
    write_atomically(path, model.SerializeToString())
    return (path,)
