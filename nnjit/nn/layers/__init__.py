"""The layers, one file each; importing the room registers them."""

from nnjit.nn.layers.activation import ActivationLayer
from nnjit.nn.layers.add import Add
from nnjit.nn.layers.concat import Concat
from nnjit.nn.layers.dense import Dense
from nnjit.nn.layers.dropout import Dropout
from nnjit.nn.layers.flatten import Flatten
from nnjit.nn.layers.scale import Scale

__all__ = ["ActivationLayer", "Add", "Concat", "Dense", "Dropout", "Flatten", "Scale"]
