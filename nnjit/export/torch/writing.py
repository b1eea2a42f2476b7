"""Collect the modules, tensors and lines of a PyTorch file while its layers are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nnjit.export.python_source import identifier
from nnjit.export.torch.helpers import HELPERS
from nnjit.nn.model.layer_node import LayerNode

# fmt: off
RESERVED = frozenset((  # names that every module has, or that the file uses
    "CATEGORIES", "CLASSES", "FEATURES", "is_mistaken", "is_padding",
    "F", "Network", "Path", "T_destination", "add_module", "apply", "bfloat16", "buffers",
    "call_super_init", "children", "compile", "cpu", "cuda", "double", "dump_patches", "eval",
    "extra_repr", "float", "forward", "get_buffer", "get_extra_state", "get_parameter", "get_submodule",
    "half", "ipu", "len", "load", "load_file", "load_state_dict", "modules", "mtia", "named_buffers",
    "named_children", "named_modules", "named_parameters", "nn", "parameters", "predict",
    "predict_probabilities", "raw", "register_backward_hook", "register_buffer",
    "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
    "register_full_backward_pre_hook", "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook", "register_module", "register_parameter",
    "register_state_dict_post_hook", "register_state_dict_pre_hook", "requires_grad_", "self",
    "set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty", "torch",
    "train", "training", "type", "x", "xpu", "zero_grad",
))
# fmt: on


@dataclass
class File:
    """The parts of a file that have been written.

    Args:
        modules: the source of each module, by its attribute of the network.
        tensors: the content of the safetensors file.
        helpers: the functions and classes used that PyTorch lacks.
        frozen: the modules that are not trained.
    """

    modules: dict[str, str] = field(default_factory=dict)
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    helpers: dict[str, None] = field(default_factory=dict)
    frozen: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def name(self, wanted: str) -> str:
        """A unique name like this one."""
        name = identifier(f"layer{wanted}" if wanted.startswith("_") else wanted)
        while name in RESERVED or name in HELPERS or name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def buffer(self, name: str, array: np.ndarray) -> str:
        """Add an array that is not a param; return the expression that reads it."""
        own = self.name(name)
        self.tensors[own] = array
        return f"self.{own}"

    def helper(self, name: str) -> str:
        """Add a helper function or class that the file needs; return its name."""
        self.helpers[name] = None
        return name


@dataclass(frozen=True)
class Place:
    """Where a layer is written.

    Args:
        name: of the layer in the file.
        arrays: its params and state by their own names.
        inputs: the expressions of its inputs.
        mask: the expression of the mask of padding (n, steps, 1); "" if there is none.
    """

    file: File
    node: LayerNode
    name: str
    arrays: Mapping[str, np.ndarray]
    inputs: tuple[str, ...]
    mask: str

    @property
    def x(self) -> str:
        """Its only input."""
        return self.inputs[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its first input."""
        return self.node.input_shapes[0]

    def module(self, source: str, tensors: Mapping[str, np.ndarray], suffix: str = "") -> str:
        """Add a module with tensors by their names in it; return the expression that reads it."""
        name = self.file.name(f"{self.name}_{suffix}") if suffix else self.name
        self.file.modules[name] = source
        self.file.tensors |= {f"{name}.{key}": array for key, array in tensors.items()}
        if self.node.is_frozen:
            self.file.frozen.append(name)
        return f"self.{name}"
