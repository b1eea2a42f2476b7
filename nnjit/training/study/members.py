"""Derive the members of a study: one experiment with different seeds or validation parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nnjit.errors import ConfigError, UserError
from nnjit.experiment import Experiment
from nnjit.registry import SEEDS
from nnjit.runs.study_kind import StudyKind, member_word


@dataclass(frozen=True)
class Members:
    """The members of a study.

    Args:
        kind: also the name of their folder.
        experiments: one per member; a member gives the same bits trained alone or with the others.
    """

    kind: StudyKind
    experiments: tuple[Experiment, ...]

    @property
    def count(self) -> int:
        """The number of members."""
        return len(self.experiments)

    @property
    def word(self) -> str:
        """The word for one member."""
        return member_word(self.kind)


def members_of(experiment: Experiment) -> Members | None:
    """The members of the study that an experiment asks for; None for a single training.

    Raises:
        ConfigError: it asks for folds and for another validation part.
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
def errors_at_folds() -> Iterator[None]:
    """Report an error in a member's `data.split.fold` at `training.folds`, where the config has it."""
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
            f"each fold is a validation part, but data.split has {given} too; set data.split.validation: 0 "
            "and omit data.split.fold; the folds then hold out all these rows in turn",
            ("training", "folds"),
        )
    if experiment.validation_data is not None:
        raise ConfigError(
            "each fold is a validation part, but there is validation_data too; remove one of them",
            ("training", "folds"),
        )


def _replica(experiment: Experiment, index: int) -> Experiment:
    """The experiment with a different seed for everything but the data and its split."""
    split = experiment.data.split
    drawn = experiment.seed if split.seed is None else split.seed
    member = _single(experiment.model_copy(update=experiment.sources), {"seed": drawn})
    return member.model_copy(update={"seed": (experiment.seed + index) % SEEDS})


def _fold(experiment: Experiment, number: int, count: int) -> Experiment:
    """The experiment with one fold as its validation part."""
    return _single(experiment, {"fold": {"number": number, "of": count}})


def _single(experiment: Experiment, split: Mapping[str, Any]) -> Experiment:
    """The experiment as a single training on one thread, with these options of the split."""
    old = experiment.data.split
    new = type(old).model_validate(old.model_dump() | dict(split))
    data = experiment.data.model_copy(update={"split": new})
    seen = experiment.training.diagnosis is True
    options = {"replicas": None, "folds": None, "threads": 1, "diagnosis": seen}
    return experiment.model_copy(
        update={"data": data, "training": experiment.training.model_copy(update=options)}
    )
