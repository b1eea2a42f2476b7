"""Match the config with the targets of the data: the entries of `losses` and the positive class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnjit.data import Dataset, Prepared, ProblemType, Target
from nnjit.data.storage.disk_rows import in_memory
from nnjit.errors import ConfigError, ConfigPath, DataError, did_you_mean
from nnjit.experiment import Experiment
from nnjit.experiment.outputs import OutputOptions
from nnjit.training.setup.error_paths import within


def target_types(experiment: Experiment, folder: Path) -> dict[str, ProblemType | None] | None:
    """The targets that `losses` names, each with its expected type; None if there is a single loss.

    Raises:
        UserError: a target does not exist, has no loss, or has two.
    """
    if experiment.losses is None:
        return None
    with within("data"):
        paths = experiment.data.targets(folder)
    owners = _owners(experiment.losses, paths)
    for target, path in paths.items():
        if path is not None and target not in owners:
            raise DataError(
                f'no loss is for the target "{target}"; name it in losses, or remove it', ("data", *path)
            )
    return {target: experiment.losses[owner].problem_type for target, owner in owners.items()}


def _owners(losses: Mapping[str, OutputOptions], known: Mapping[str, Any]) -> dict[str, str]:
    """The entry of `losses` that names each target."""
    owners: dict[str, str] = {}
    for name, entry in losses.items():
        for k, target in enumerate(entry.targets):
            path: ConfigPath = ("losses", name, "target")
            if isinstance(entry.target, tuple):
                path = (*path, k)
            if target not in known:
                raise ConfigError(f'the data has no target "{target}"{did_you_mean(target, known)}', path)
            if target in owners:
                raise ConfigError(
                    f'"{target}" is the target of "{owners[target]}" already; give another', path
                )
            owners[target] = name
    return owners


def joined_targets(experiment: Experiment, found: Sequence[Target]) -> tuple[Target, ...]:
    """Join the targets that each entry of `losses` names; () if there is a single loss.

    Args:
        found: the targets of the data, in the order in which the entries name them.

    Raises:
        ConfigError: an entry names several targets, one of them of classes.
    """
    rest, made = iter(found), []
    for name, entry in (experiment.losses or {}).items():
        parts = [next(rest) for _ in entry.targets]
        for k, part in enumerate(parts):
            if len(parts) > 1 and part.classes is not None:
                mend = "give it an output of its own, or task: regression if it holds numbers"
                raise ConfigError(
                    f'"{part.name}" has classes, but only targets of values can be joined; {mend}',
                    ("losses", name, "target", k),
                )
        label, size = ", ".join(entry.targets), sum(part.size for part in parts)
        made.append(Target(label, parts[0].start, size, parts[0].classes))
    return tuple(made)


def check_threshold(experiment: Experiment, data: Prepared) -> None:
    """Raise a UserError if there is a threshold but nothing to decide, or nothing to choose it on."""
    rule, path = experiment.threshold, ("threshold",)
    if rule is None:
        return
    if data.classes is None or len(data.classes) != 2:
        message = f"a threshold decides between two classes, but the data has {_found(data)}; remove it"
        raise ConfigError(message, path)
    if isinstance(rule, float):
        return
    if data.validation is None:
        mend = "set data.split.validation, or give a number between 0 and 1"
        raise ConfigError(f"it is chosen on the validation part, but there is none; {mend}", path)
    if not (data.validation.all_targets == 1).any():
        lacks = f'the validation part has no example of "{data.classes[1]}"'
        raise DataError(f"{lacks}, so none can be chosen on it; hold out more, or give a number", path)


def _found(data: Dataset | Prepared) -> str:
    """The kind of targets, in words."""
    if data.target_layout:
        return "several outputs"
    return "values" if data.classes is None else f"{len(data.classes)} classes"


def with_positive(data: Dataset, positive: str | int | None) -> Dataset:
    """Make the named class the second of two, the positive one; leave the data unchanged without a name.

    Raises:
        ConfigError: there are not two classes, or neither has this name.
    """
    if positive is None:
        return data
    label = str(positive)
    if data.classes is None or len(data.classes) != 2:
        message = f"a positive class is one of two, but the data has {_found(data)}; remove it"
        raise ConfigError(message, ("positive",))
    if label not in data.classes:
        raise ConfigError(f'no class is called "{label}"{did_you_mean(label, data.classes)}', ("positive",))
    if label == data.classes[1]:
        return data
    return replace(data, y=1 - in_memory(data.y), classes=data.classes[::-1])
