"""The layers, one file each; importing the room registers them."""

from nnjit.nn.layers.activation import ActivationLayer
from nnjit.nn.layers.add import Add
from nnjit.nn.layers.attention import Attention
from nnjit.nn.layers.average_pool import AveragePool
from nnjit.nn.layers.batch_norm import BatchNorm
from nnjit.nn.layers.concat import Concat
from nnjit.nn.layers.conv1d import Conv1D
from nnjit.nn.layers.conv2d import Conv2D
from nnjit.nn.layers.cutout import Cutout
from nnjit.nn.layers.dense import Dense
from nnjit.nn.layers.dropout import Dropout
from nnjit.nn.layers.embedding import Embedding
from nnjit.nn.layers.features import Features
from nnjit.nn.layers.flatten import Flatten
from nnjit.nn.layers.gaussian_noise import GaussianNoise
from nnjit.nn.layers.global_average_pool import GlobalAveragePool
from nnjit.nn.layers.gru import GRU
from nnjit.nn.layers.layer_norm import LayerNorm
from nnjit.nn.layers.lstm import LSTM
from nnjit.nn.layers.max_pool import MaxPool
from nnjit.nn.layers.multiply import Multiply
from nnjit.nn.layers.permute import Permute
from nnjit.nn.layers.random_crop import RandomCrop
from nnjit.nn.layers.random_flip import RandomFlip
from nnjit.nn.layers.random_shift import RandomShift
from nnjit.nn.layers.reshape import Reshape
from nnjit.nn.layers.rnn import RNN
from nnjit.nn.layers.scale import Scale
from nnjit.nn.layers.select import Select

__all__ = [
    "GRU", "LSTM", "RNN", "ActivationLayer", "Add", "Attention", "AveragePool", "BatchNorm", "Concat",
    "Conv1D", "Conv2D", "Cutout", "Dense", "Dropout", "Embedding", "Features", "Flatten", "GaussianNoise",
    "GlobalAveragePool", "LayerNorm", "MaxPool", "Multiply", "Permute", "RandomCrop", "RandomFlip",
    "RandomShift", "Reshape", "Scale", "Select",
]  # fmt: skip
