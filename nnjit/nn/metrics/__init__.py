"""The metrics, one file per kind, imported when one of its metrics is chosen."""

from nnjit.nn.metrics.metric import metrics

metrics.list_modules(
    __name__,
    {
        "confusion": ["precision", "recall", "f1", "balanced_accuracy", "matthews"],
        "decisions": ["accuracy", "binary_accuracy", "top_k", "log_loss"],
        "rankings": ["roc_auc", "average_precision"],
        "values": ["mae", "mse", "rmse", "mape", "r2", "explained_variance"],
    },
)
