"""The libraries that train the workloads, a file each."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from scripts.benchmark.contestants.contestant import Contestant, Unavailable


@dataclass(frozen=True)
class Entry:
    """How a contestant is shown, and where its class is."""

    title: str
    module: str
    name: str

    def load(self) -> type[Contestant]:
        """The class.

        Raises:
            Unavailable: its library is not installed.
        """
        try:
            found: type[Contestant] = getattr(import_module(f"{__name__}.{self.module}"), self.name)
        except ModuleNotFoundError as error:
            raise Unavailable(f"{error.name} is not installed") from None
        return found


# fmt: off
CONTESTANTS = {
    "nnjit":         Entry("nnjit",            "nnjit_fit",     "NnjitFit"),
    "jax_scan":      Entry("JAX jit + scan",   "jax_scan",      "JaxScan"),
    "jax_steps":     Entry("JAX jit per step", "jax_steps",     "JaxSteps"),
    "torch_eager":   Entry("PyTorch eager",    "torch_eager",   "TorchEager"),
    "torch_compile": Entry("torch.compile",    "torch_compile", "TorchCompile"),
    "sklearn":       Entry("scikit-learn",     "sklearn_fit",   "SklearnFit"),
}
# fmt: on
PEERS = tuple(name for name in CONTESTANTS if name != "nnjit")

__all__ = ["CONTESTANTS", "PEERS", "Contestant", "Entry", "Unavailable"]
