"""The losses, one file per kind of target, imported when one of its losses is chosen."""

from nnjit.nn.losses.loss import losses

losses.list_modules(
    __name__,
    {
        "entropies": ["binary_cross_entropy", "focal", "softmax_cross_entropy", "kl_divergence"],
        "margins": ["hinge", "squared_hinge"],
        "values": [
            *("squared_error", "mean_squared_error", "absolute_error", "mean_absolute_error"),
            *("huber", "log_cosh", "quantile", "poisson"),
        ],
    },
)
