"""The contestants, one file each: libraries that train the workloads or compute gradients."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from scripts.benchmark.contestants.contestant import Contestant, Unavailable
from scripts.benchmark.contestants.gradient import Gradient


@dataclass(frozen=True)
class Entry:
    """A contestant's title and the location of its class."""

    title: str
    module: str
    name: str

    def load(self) -> type[Contestant] | type[Gradient]:
        """Import the class.

        Raises:
            Unavailable: its library is not installed.
        """
        try:
            found: type[Contestant] | type[Gradient] = getattr(
                import_module(f"{__name__}.{self.module}"), self.name
            )
        except ModuleNotFoundError as error:
            raise Unavailable(f"{error.name} is not installed") from None
        return found


# fmt: off
CONTESTANTS = {
    "nnjit":         Entry("nnjit",            "nnjit_fit",     "NnjitFit"),
    "nnjit_one":     Entry("nnjit, one thread", "nnjit_fit",    "NnjitOneThread"),
    "jax_scan":      Entry("JAX jit + scan",   "jax_scan",      "JaxScan"),
    "jax_steps":     Entry("JAX jit per step", "jax_steps",     "JaxSteps"),
    "torch_eager":   Entry("PyTorch eager",    "torch_eager",   "TorchEager"),
    "torch_compile": Entry("torch.compile",    "torch_compile", "TorchCompile"),
    "sklearn":       Entry("scikit-learn",     "sklearn_fit",   "SklearnFit"),
}
GRADIENTS = {
    "gradient":             Entry("nnjit jit(grad(f))", "gradient_nnjit",    "NnjitGradient"),
    "gradient_jax":         Entry("JAX jit(grad(f))",   "gradient_jax",      "JaxGradient"),
    "gradient_autograd":    Entry("autograd grad(f)",   "gradient_autograd", "AutogradGradient"),
    "gradient_interpreted": Entry("nnjit grad(f)",      "gradient_nnjit",    "NnjitInterpreted"),
}
# fmt: on
OWN = ("nnjit", "nnjit_one")
PEERS = tuple(name for name in CONTESTANTS if name not in OWN)

__all__ = ["CONTESTANTS", "GRADIENTS", "OWN", "PEERS", "Contestant", "Entry", "Gradient", "Unavailable"]
