"""Networks: layers, activations, initializers, losses and metrics, and the model that layers make."""

from nnjit.nn import layers as _all_layers  # locates each layer; the next two, each loss and metric
from nnjit.nn import losses as _all_losses
from nnjit.nn import metrics as _all_metrics
from nnjit.nn.activations import ACTIVATIONS, Activation, ActivationName
from nnjit.nn.initializers import Initializer, fans, initializers
from nnjit.nn.layers.shared.base import Context, Layer, Param, UsedRows, layers
from nnjit.nn.losses.loss import Loss, losses
from nnjit.nn.metrics.metric import Metric, Reads, SummedMetric, WholeMetric, metrics
from nnjit.nn.model.layer_node import LayerNode
from nnjit.nn.model.model import Model, build_model
from nnjit.nn.model.params import ParamEntry, ParamTable
from nnjit.nn.model.repeat import AnyEntry, Repeat

del _all_layers, _all_losses, _all_metrics

__all__ = [
    "ACTIVATIONS", "Activation", "ActivationName", "AnyEntry", "Context", "Initializer", "Layer", "LayerNode",
    "Loss", "Metric", "Model", "Param", "ParamEntry", "ParamTable", "Reads", "Repeat", "SummedMetric",
    "UsedRows", "WholeMetric", "build_model", "fans", "initializers", "layers", "losses", "metrics",
]  # fmt: skip
