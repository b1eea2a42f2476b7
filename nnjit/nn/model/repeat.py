"""`repeat`: an entry in the list of layers for copies of some layers, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field

from nnjit.nn.layers.shared.base import Layer, layers
from nnjit.registry import Options, Registry

entries: Registry[Any] = Registry("layer", layers)


@entries.register
class Repeat(Options):
    """Copies of some layers, one after another, each with its own params.

    A copy is a small network: its first layer takes the copy's input, called `input` inside it, and its last
    layer gives the copy's output. Inside, `from` names layers of the same copy that have a `name`. In the
    whole network, a layer `x` is `x_1` in the first copy, `x_2` in the second and so on, and unnamed
    layers are numbered throughout: `dense_1`, `dense_2`, … (in nested repeats, `x_2_1` is the first of
    the second). `repeat: {times: 3, layers: [...]}` is a shorter way to write it.
    """

    model_config = ConfigDict(populate_by_name=True)

    type: Literal["repeat"] = "repeat"
    from_: str | None = Field(None, alias="from")
    """The layer whose output the first copy takes; by default the previous one. `input` is the data."""
    trainable: bool = True
    """Whether training changes the params of its layers; `false` freezes all of them."""
    times: int = Field(ge=1, le=1000)
    """The number of copies, 1 to 1000."""
    layers: tuple[AnyEntry, ...] = Field(min_length=1)
    """The layers of a copy, first to last; each takes the output of the previous one unless it has `from`."""


if TYPE_CHECKING:
    AnyEntry = Layer | Repeat
else:
    AnyEntry = entries.field()  # the type of an entry in a list of layers
