"""The trainings that one experiment stands for: itself with other seeds, or with other validation parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nnjit.errors import ConfigError, UserError
from nnjit.experiment.experiment import SEEDS, Experiment


@dataclass(frozen=True)
class Members:
    """Several trainings of one experiment.

    Args:
        kind: "replicas" or "folds", which is the name of their folder too.
        experiments: one for each; trained by itself, each gives the bits that it has among the others.
    """

    kind: str
    experiments: tuple[Experiment, ...]

    @property
    def word(self) -> str:
        """One of them."""
        return self.kind.removesuffix("s")


def members_of(experiment: Experiment) -> Members | None:
    """The trainings that an experiment asks for; None where it is a training itself.

    Raises:
        ConfigError: folds are asked for beside another validation part.
    """
    options = experiment.training
    if options.replicas is not None:
        return Members("replicas", tuple(_replica(experiment, k) for k in range(options.replicas)))
    if options.folds is not None:
        _check_no_validation(experiment)
        count = options.folds
        return Members("folds", tuple(_fold(experiment, k + 1, count) for k in range(count)))
    return None


@contextmanager
def told_of_members() -> Iterator[None]:
    """Put an error of a fold where it comes from, since the config has none in its split."""
    try:
        yield
    except UserError as error:
        if error.path != ("data", "split", "fold"):
            raise
        raise type(error)(error.message, ("training", "folds")) from None


def _check_no_validation(experiment: Experiment) -> None:
    split = experiment.data.split
    given = "fold" if split.fold is not None else f"validation: {split.validation:g}"
    if split.fold is not None or split.validation > 0:
        raise ConfigError(
            f"each fold is a validation part, and data.split has {given} too; set data.split.validation: 0 "
            "and leave data.split.fold away, and what it held out is trained on and held out in turn",
            ("training", "folds"),
        )
    if experiment.validation_data is not None:
        raise ConfigError(
            "each fold is a validation part, and there is validation_data too; remove one of them",
            ("training", "folds"),
        )


def _replica(experiment: Experiment, index: int) -> Experiment:
    """The experiment with another seed for all but the data and its split."""
    split = experiment.data.split
    drawn = experiment.seed if split.seed is None else split.seed
    alone = _single(experiment.model_copy(update=experiment.sources), {"seed": drawn})
    return alone.model_copy(update={"seed": (experiment.seed + index) % SEEDS})


def _fold(experiment: Experiment, number: int, count: int) -> Experiment:
    """The experiment with one fold as its validation part."""
    return _single(experiment, {"fold": {"number": number, "of": count}})


def _single(experiment: Experiment, split: Mapping[str, Any]) -> Experiment:
    """The experiment as one training on one thread, with other options of the split."""
    old = experiment.data.split
    new = type(old).model_validate(old.model_dump() | dict(split))
    data = experiment.data.model_copy(update={"split": new})
    seen = experiment.training.diagnosis is True
    lone = {"replicas": None, "folds": None, "threads": 1, "diagnosis": seen}
    return experiment.model_copy(
        update={"data": data, "training": experiment.training.model_copy(update=lone)}
    )
