"""Export a network as a readable file of PyTorch modules, with its weights in a safetensors file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnjit.export.network import Network
from nnjit.export.torch.program import program
from nnjit.runs.weights import weights_bytes
from nnjit.runs.writing import write_atomically

NAME = "network"


def write(network: Network, path: Path) -> Sequence[Path]:
    """Write `network.py` and `network.safetensors` into a folder; return their paths."""
    source, tensors = program(network)
    files = path / f"{NAME}.py", path / f"{NAME}.safetensors"
    for file, content in zip(files, (source.encode(), weights_bytes(tensors)), strict=True):
        write_atomically(file, content)
    return files
