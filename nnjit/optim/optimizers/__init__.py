"""The optimizers, by their families; importing the room registers them."""

from nnjit.optim.optimizers.adam import Adam, AdamW
from nnjit.optim.optimizers.adam_relatives import Adamax, Nadam, RAdam
from nnjit.optim.optimizers.descent import GradientDescent, Lion, Momentum, Nesterov
from nnjit.optim.optimizers.scaled import Adadelta, Adagrad, RmsProp

__all__ = [
    "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "GradientDescent", "Lion", "Momentum", "Nadam",
    "Nesterov", "RAdam", "RmsProp",
]  # fmt: skip
