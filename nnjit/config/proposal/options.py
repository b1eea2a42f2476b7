"""Lay out the options of a config for a table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from nnjit.config.proposal.columns import columns_of
from nnjit.config.proposal.plan import Plan

Options = dict[str, Any]

_TAKEN = ("input", "joined")  # names of layers that a model adds


def options_of(made: Plan) -> Options:
    """The options of a config; columns and layers are tuples and dicts, as in YAML."""
    sizes = made.sizes
    training: Options = {"epochs": sizes.epochs, "batch_size": sizes.batch_size}
    if sizes.held_out:
        training["early_stopping"] = {"patience": sizes.patience}
    return {
        "name": name_of(made.opened.file),
        "seed": 0,
        "data": _data(made),
        **(_one_output(made) if made.has_one_output else _outputs(made)),
        "optimizer": {"type": "adam", "learning_rate": sizes.learning_rate},
        "training": training,
    }


def name_of(file: str) -> str:
    """The name of the experiment: the file's, without characters that a folder cannot have."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(file).name.partition(".")[0]).strip("-._")
    return stem[:80] or "table"


def _data(made: Plan) -> Options:
    columns = columns_of(made.inputs)
    names = tuple(goal.name for goal in made.goals)
    options: Options = {
        "type": "table",
        "file": made.opened.file,
        **made.opened.reading,
        "target": names[0] if len(names) == 1 else names,
        "columns": columns.kinds,
        "ignore": (*made.ignored, *columns.unreadable),
        "split": _split(made),
        "scale": "unit" if made.are_pixels else "standard",
        "scale_target": "standard" if any(goal.holds == "values" for goal in made.goals) else "",
    }
    return {key: value for key, value in options.items() if value not in ((), {}, "") or key == "target"}


def _split(made: Plan) -> Options:
    part = made.sizes.held_out
    order = {"shuffle": False} if made.is_split_in_order else {}
    return {"validation": part, "test": part, **order} if part else {}


def _one_output(made: Plan) -> Options:
    [goal, *others] = made.goals
    units = goal.units + len(others)
    return {
        "model": (*_hidden(made), {"type": "dense", "units": units}),
        "loss": goal.loss,
        "metrics": goal.metrics,
    }


def _outputs(made: Plan) -> Options:
    """An output layer for each target, all after the last hidden one."""
    *before, last = _hidden(made)
    outputs: dict[str, Any] = {}
    losses: dict[str, Any] = {}
    for goal in made.goals:
        name = _layer_name(goal.name, (*losses, *_TAKEN, "trunk"))
        outputs[name] = {"name": name, "type": "dense", "units": goal.units, "from": "trunk"}
        losses[name] = {"loss": goal.loss, "target": goal.name, "metrics": goal.metrics}
    return {"model": (*before, {"name": "trunk", **last}, *outputs.values()), "losses": losses}


def _hidden(made: Plan) -> list[Any]:
    layers: list[Any] = ["features"]
    for units in made.sizes.hidden:
        layers.append({"type": "dense", "units": units, "activation": "relu"})
        if made.sizes.dropout:
            layers.append({"type": "dropout", "rate": made.sizes.dropout})
    return layers


def _layer_name(target: str, taken: tuple[str, ...]) -> str:
    """A valid name for a layer, after the target that it predicts."""
    name = re.sub(r"\W+", "_", target, flags=re.ASCII).strip("_") or "output"
    name = f"_{name}" if name[0].isdecimal() else name
    while name in taken:
        name += "_"
    return name
