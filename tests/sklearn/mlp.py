"""scikit-learn's MLPClassifier and MLPRegressor as networks of nnjit, parameter by parameter."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils.metaestimators import available_if

from nnjit.sklearn import NetworkClassifier, NetworkRegressor

DEFAULTS: dict[str, Any] = {
    "hidden_layer_sizes": (100,), "activation": "relu", "solver": "adam", "alpha": 1e-4,
    "batch_size": "auto", "learning_rate": "constant", "learning_rate_init": 1e-3, "power_t": 0.5,
    "max_iter": 200, "max_fun": 15000, "shuffle": True, "random_state": None, "tol": 1e-4,
    "verbose": False, "warm_start": False, "momentum": 0.9, "nesterovs_momentum": True,
    "early_stopping": False, "validation_fraction": 0.1, "beta_1": 0.9, "beta_2": 0.999,
    "epsilon": 1e-8, "n_iter_no_change": 10, "loss": None,
}  # fmt: skip
ACTIVATIONS = {"logistic": "sigmoid"}


def _goes_on(mlp: Mlp) -> bool:
    return hasattr(mlp.network.set_params(optimizer=mlp.optimizer()), "partial_fit")


class Mlp:
    """A network with the parameters of an MLP."""

    made: ClassVar[type[NetworkClassifier] | type[NetworkRegressor]]

    def __init__(self, hidden_layer_sizes: Any = (100,), **given: Any) -> None:
        assert set(given) <= set(DEFAULTS), set(given) - set(DEFAULTS)
        self.given = DEFAULTS | {"hidden_layer_sizes": hidden_layer_sizes} | given
        self.network = self.made()

    def set_params(self, **given: Any) -> Mlp:
        self.given |= given
        return self

    def fit(self, X: Any, y: Any, **more: Any) -> Mlp:
        self._tell(y)
        self.network.fit(X, y, **more)
        return self

    @available_if(_goes_on)
    def partial_fit(self, X: Any, y: Any, **more: Any) -> Mlp:
        self._tell(y)
        self.network.set_params(early_stopping=self.given["early_stopping"])  # tol is for fit alone
        self.network.partial_fit(X, y, **more)
        return self

    def _tell(self, y: Any) -> None:
        self.network.set_params(**self.as_ours(y))

    def as_ours(self, y: Any) -> dict[str, Any]:
        """Convert the parameters to those of a network for these targets."""
        of, rows = self.given, len(y)
        batch = min(200, rows) if of["batch_size"] == "auto" else min(of["batch_size"], rows)
        stopping = of["early_stopping"]
        patience = min(of["n_iter_no_change"], 10**6)
        ours = {
            "hidden": of["hidden_layer_sizes"],
            "activation": ACTIVATIONS.get(of["activation"], of["activation"]),
            "penalty": of["alpha"] / (2 * batch) * self._slope(y),
            "epochs": of["max_iter"],
            "batch_size": "full" if of["solver"] == "lbfgs" else batch,
            "optimizer": self.optimizer(self._slope(y)),
            "schedule": {"constant": "constant", "invscaling": "inverse_sqrt"}[of["learning_rate"]],
            "early_stopping": {"patience": int(patience), "min_delta": float(of["tol"])},
            "validation_fraction": of["validation_fraction"] if stopping else 0.0,
            "random_state": of["random_state"],
            "warm_start": of["warm_start"],
            "dtype": "float64",
            "scale": "none",
            "verbose": bool(of["verbose"]),
            "config": None if of["shuffle"] else {"training": {"shuffle": False}},
        }
        return ours if of["loss"] is None else ours | {"loss": of["loss"]}

    def _slope(self, y: Any) -> float:
        """The ratio of our gradient to that of an MLP: our cost of labels is a mean."""
        if isinstance(self, MLPRegressor):
            return 2.0
        return 1.0 if np.ndim(y) == 1 else 1 / np.shape(y)[1]

    def optimizer(self, slope: float = 1.0) -> dict[str, Any]:
        """Our optimizer, with a learning rate for a gradient with this ratio to theirs."""
        of = self.given
        match of["solver"]:
            case "adam":
                return {"type": "adam", "learning_rate": of["learning_rate_init"]}
            case "lbfgs":
                return {"type": "lbfgs"}
        rate = of["learning_rate_init"] / slope
        if not of["momentum"]:
            return {"type": "gradient_descent", "learning_rate": rate}
        name = "nesterov" if of["nesterovs_momentum"] else "momentum"
        return {"type": name, "learning_rate": rate, "momentum": of["momentum"]}

    @property
    def coefs_(self) -> list[np.ndarray]:
        return [w for name, w in self.network.weights_.items() if name.endswith(".weight")]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        return [b for name, b in self.network.weights_.items() if name.endswith(".bias")]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "network" not in vars(self):
            raise AttributeError(name)
        return vars(self)["given"][name] if name in DEFAULTS else getattr(vars(self)["network"], name)


class MLPClassifier(Mlp):
    made = NetworkClassifier


class MLPRegressor(Mlp):
    made = NetworkRegressor
