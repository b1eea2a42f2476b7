"""The optimizers, by their families; importing the room registers them."""

from nnjit.optim.optimizers.adam import Adam, AdamW
from nnjit.optim.optimizers.adam_variants import Adamax, Nadam, RAdam
from nnjit.optim.optimizers.descent import GradientDescent, Lion, Momentum, Nesterov
from nnjit.optim.optimizers.least_squares import GaussNewton, LevenbergMarquardt
from nnjit.optim.optimizers.rms import Adadelta, Adagrad, RmsProp
from nnjit.optim.optimizers.searching import ConjugateGradient, Lbfgs, NewtonCg

__all__ = [
    "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "ConjugateGradient", "GaussNewton", "GradientDescent",
    "Lbfgs", "LevenbergMarquardt", "Lion", "Momentum", "Nadam", "Nesterov", "NewtonCg", "RAdam", "RmsProp",
]  # fmt: skip
