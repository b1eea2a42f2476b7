"""Turn the parameters of an estimator into a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nnjit.config.document import Document
from nnjit.config.reading import read_file
from nnjit.errors import ConfigPath
from nnjit.optim import FullBatchOptimizer, optimizers
from nnjit.sklearn.errors import InvalidParameter

Problem = Literal["classes", "labels", "values"]
"""The kind of a target: one of several classes, several labels that are 0 or 1, or numbers."""

LOSSES: Mapping[Problem, str] = {
    "classes": "softmax_cross_entropy",
    "labels": "binary_cross_entropy",
    "values": "squared_error",
}

# fmt: off
# The option that each parameter sets, as in messages.
OPTIONS: Mapping[str, str] = {
    "hidden":              "model",
    "activation":          "model",
    "dropout":             "model",
    "batch_norm":          "model",
    "loss":                "loss",
    "optimizer":           "optimizer",
    "learning_rate":       "optimizer",
    "schedule":            "schedule",
    "epochs":              "training.epochs",
    "batch_size":          "training.batch_size",
    "penalty":             "penalty",
    "early_stopping":      "training.early_stopping",
    "validation_fraction": "data.split",
    "class_weight":        "training.class_weights",
    "scale":               "data.scale",
    "dtype":               "dtype",
    "threads":             "training.threads",
}
# fmt: on
MERGED = ("data", "training")  # sections of a config that are merged with the parameters, option by option
OTHER_DATA = ("validation_data", "test_data")
OF_ROWS = ("scale", "scale_target", "split")  # data options of a config that an estimator keeps
OF_TABLES = ("columns", "missing", "categorical", "indexed", "ignore")
STUDIES = ("replicas", "folds")


@dataclass(frozen=True)
class Settings:
    """A config without its data, and the origin of each option.

    Args:
        places: an option's path -> the parameter that sets it.
        locations: the lines of the options in a file, as in a `Document`.
    """

    config: dict[str, Any]
    places: Mapping[str, str]
    locations: Mapping[ConfigPath, str] = field(default_factory=dict)

    def document(self, **more: Any) -> Document:
        """The config with additional sections, as input for `read`."""
        return Document(plain(self.config | more), self.locations, "")


def settings_of(parameters: Mapping[str, Any], defaults: Mapping[str, Any], problem: Problem) -> Settings:
    """Make the config of an estimator with these parameters.

    Args:
        defaults: the default parameters.

    Raises:
        InvalidParameter: a parameter has a wrong type, or its option is also in `config`.
    """
    given = {name: plain(value) for name, value in parameters.items() if name != "config"}
    model, places = _model(given)
    theirs = {} if parameters["config"] is None else read_config(parameters["config"])
    optimizer = theirs.get("optimizer", _optimizer(given))
    config: dict[str, Any] = {
        "data": {"split": _split(given)} | _scale(given, problem),
        "model": model,
        "loss": given.get("loss") or LOSSES[problem],
        "optimizer": optimizer,
        "schedule": given["schedule"],
        "penalty": given["penalty"] if isinstance(given["penalty"], Mapping) else {"l2": given["penalty"]},
        "training": _training(given, optimizer),
        "dtype": given["dtype"],
    }
    places |= {option: name for name, option in OPTIONS.items() if name in given and option != "model"}
    places |= {"optimizer": "optimizer", "optimizer.learning_rate": "learning_rate", "penalty.l2": "penalty"}
    places |= {"data.scale_target": "scale", "data.split.validation": "validation_fraction"}
    for name, option in OPTIONS.items():
        is_given = name in parameters and not _is_equal(parameters[name], defaults[name])
        if is_given and _has(theirs, option):
            raise InvalidParameter(f"{name} is given, and config has {option} too; omit one of them")
    for section, options in theirs.items():
        is_merged = section in MERGED and isinstance(options, Mapping)
        config[section] = config[section] | options if is_merged else options
    places = {option: name for option, name in places.items() if not _has(theirs, option)}
    return Settings(config, places, _locations(parameters["config"]))


def plain(value: Any) -> Any:
    """Convert a value to Python's own types; searches draw NumPy numbers."""
    match value:
        case np.generic():
            return value.item()
        case np.ndarray():
            return value.tolist()
        case Mapping():
            return {plain(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return tuple(plain(item) for item in value)
    return value


def is_full_batch(optimizer: Any) -> bool:
    """Whether an optimizer, given by name or mapping, takes all rows at once."""
    options = optimizer if isinstance(optimizer, Mapping) else {"type": optimizer}
    name = options.get("type")
    if not isinstance(name, str) or name not in set(optimizers):
        return False  # which the config reports
    return bool(options.get("line_search")) or issubclass(optimizers[name], FullBatchOptimizer)


def encodes(config: Any) -> bool:
    """Whether a config has options of encoding; if so, even a data frame of numbers is encoded."""
    data = None if config is None else read_config(config).get("data")
    return isinstance(data, Mapping) and not data.keys().isdisjoint(OF_TABLES)


def _model(given: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The layers, and the parameter that each of their options comes from."""
    hidden = given["hidden"] if isinstance(given["hidden"], tuple) else (given["hidden"],)
    layers: list[dict[str, Any]] = []
    places: dict[str, str] = {}

    def add(layer: dict[str, Any], **blamed: str) -> None:
        places.update({f"model[{len(layers)}].{option}": name for option, name in blamed.items()})
        layers.append(layer)

    for k, units in enumerate(hidden):
        name = f"hidden[{k}]" if isinstance(given["hidden"], tuple) else "hidden"
        if given["batch_norm"]:
            add({"type": "dense", "units": units}, units=name)
            add({"type": "batch_norm"})
            add({"type": "activation", "function": given["activation"]}, function="activation")
        else:
            add(
                {"type": "dense", "units": units, "activation": given["activation"]},
                units=name, activation="activation",
            )  # fmt: skip
        if given["dropout"]:
            add({"type": "dropout", "rate": given["dropout"]}, rate="dropout")
    layers.append({"type": "dense"})
    return layers, places


def _optimizer(given: Mapping[str, Any]) -> dict[str, Any]:
    chosen = given["optimizer"]
    options = dict(chosen) if isinstance(chosen, Mapping) else {"type": chosen}
    return options if given["learning_rate"] is None else options | {"learning_rate": given["learning_rate"]}


def _training(given: Mapping[str, Any], optimizer: Any) -> dict[str, Any]:
    batch_size = given["batch_size"]
    if batch_size == "auto":
        batch_size = "full" if is_full_batch(optimizer) else 32
    options = {"epochs": given["epochs"], "batch_size": batch_size, "threads": given["threads"]}
    weights = given.get("class_weight")
    if weights is not None:
        is_named = isinstance(weights, Mapping)
        options["class_weights"] = {str(k): v for k, v in weights.items()} if is_named else weights
    return options | _stopping(given["early_stopping"]) | {"diagnosis": False}


def _stopping(early: Any) -> dict[str, Any]:
    if early is False or early is None:
        return {}
    if early is True:
        return {"early_stopping": {}}
    return {"early_stopping": {"patience": early} if isinstance(early, int) else early}


def _split(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"validation": given["validation_fraction"]} if _stopping(given["early_stopping"]) else {}


def _scale(given: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    scale = {"scale": given["scale"]}
    if problem != "values":
        return scale
    return scale | {"scale_target": "standard" if given["scale"] == "unit" else given["scale"]}


def _locations(config: Any) -> dict[ConfigPath, str]:
    """The lines of the options in a config file; empty for a mapping.

    Sections whose options may also come from parameters are omitted.
    """
    if not isinstance(config, str | Path):
        return {}
    document = read_file(Path(config))
    ours = {(), *((section,) for section in MERGED)}
    return {path: where for path, where in document.locations.items() if path not in ours}


def read_config(config: Any) -> dict[str, Any]:
    """Read the options for an estimator from a mapping or a YAML file.

    Raises:
        InvalidParameter: it is neither, or has options that an estimator cannot use.
    """
    if isinstance(config, str | Path):
        config = read_file(Path(config)).data
    if not isinstance(config, Mapping):
        wanted = "expected a mapping of options, or the path of a YAML file"
        raise InvalidParameter(f"config: {wanted}, got {config!r}")
    found = {str(key): plain(value) for key, value in config.items()}
    for name in OTHER_DATA:
        if found.get(name) is not None:
            raise InvalidParameter(f"config: {name} is given, but the data comes from fit; remove it")
    training = found.get("training")
    for name in STUDIES:
        if isinstance(training, Mapping) and training.get(name) is not None:
            mend = "remove it, and use cross_validate"
            raise InvalidParameter(f"config: training.{name} trains several networks; {mend}")
    if "losses" in found:
        raise InvalidParameter("config: losses are for several outputs, but an estimator has one; use loss")
    data = found.get("data")
    if isinstance(data, Mapping):
        kept = {key: value for key, value in data.items() if key in (*OF_ROWS, *OF_TABLES)}
        if isinstance(kept.get("split"), Mapping):  # the caller holds out test data
            kept["split"] = {key: value for key, value in kept["split"].items() if key != "test"}
        found["data"] = kept
    return found


def _has(config: Mapping[str, Any], option: str) -> bool:
    """Whether a config has the option with this path."""
    value: Any = config
    for key in option.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True


def _is_equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b)


def names_of(classes: Sequence[Any]) -> tuple[str, ...]:
    """Unique names for classes that are valid in a table."""
    from nnjit.data.tables.values import MISSING_MARKS

    names = [str(value) for value in classes]
    are_plain = all(name == name.strip() and name not in MISSING_MARKS for name in names)
    if are_plain and len(set(names)) == len(names):
        return tuple(names)
    return tuple(f"class {k}" for k in range(len(names)))
