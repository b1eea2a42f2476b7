"""The layers, one file each, imported when a model has such a layer."""

from nnjit.nn.layers.shared.base import layers

_TYPES = (
    "activation", "add", "attention", "average_pool", "batch_norm", "concat", "conv1d", "conv2d", "cutout",
    "dense", "dropout", "embedding", "features", "flatten", "gaussian_noise", "global_average_pool", "gru",
    "layer_norm", "lstm", "max_pool", "multiply", "permute", "random_crop", "random_flip", "random_shift",
    "reshape", "rnn", "scale", "select",
)  # fmt: skip

layers.list_modules(__name__, {name: [name] for name in _TYPES})
