"""Let the ranks of a training meet before it begins: compare what they train, and share the first state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnjit.codegen import aligned_copy
from nnjit.cores import usable_cores
from nnjit.errors import ConfigError, DataError, RunError, UserError
from nnjit.experiment import Experiment
from nnjit.ranks import host, world
from nnjit.runs.environment import Environment
from nnjit.training.loop.resuming import fingerprint_of
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State

VERSIONS = ("nnjit", "numba", "llvmlite", "numpy")
HOST, FAILURE, STEP = "host", "failure", "the calls of a step"
Facts = Mapping[str, Any]
"""Facts that a rank reports about itself, by name."""


def share_experiment(experiment: Experiment | None) -> Experiment | None:
    """Share the first rank's experiment with all ranks; None if it trains nothing.

    Args:
        experiment: that of the first rank; None on the others.

    Raises:
        ConfigError: several ranks cannot train it. RunError: a rank has other versions than the first.
    """
    ranks = world()
    if ranks.size == 1:
        return experiment
    here = Environment.here(cores=usable_cores())
    _check_alike(ranks.gather({HOST: host(), **{name: getattr(here, name) for name in VERSIONS}}))
    if experiment is not None:
        _check_can_share(experiment, ranks.size)
    return ranks.of_first(experiment)


def meet(setup: Setup, state: State, base: Path) -> tuple[Setup, State]:
    """Return the setup with the first rank's learning rate, and the first rank's state.

    Args:
        state: that of the first rank; any state of this setup on the others.
        base: where relative paths in the experiment start.

    Raises:
        DataError: a batch has fewer rows than there are ranks.
        RunError: a rank would train something else; the message says which one and what differs.
    """
    ranks = world()
    if ranks.size == 1:
        return setup, state
    if ranks.rank == 0:  # the others wait for its result, or its message
        _check_fits(setup, ranks.size)
    _check_alike(ranks.gather({HOST: host(), **_facts(setup, base)}))
    found, learning_rate = ranks.of_first((state, setup.learning_rate))
    vectors = aligned_copy(found.theta), found.slots.map(aligned_copy)
    return replace(setup, learning_rate=learning_rate), replace(found, theta=vectors[0], slots=vectors[1])


def report_failure(error: UserError) -> None:
    """Tell the first rank why this one cannot train, and wait to be ended."""
    world().gather({HOST: host(), FAILURE: str(error)})
    world().of_first(None)


def _check_can_share(experiment: Experiment, ranks: int) -> None:
    if experiment.optimizer.full_batch is not None:
        raise ConfigError(
            f"this method has no batches for {ranks} ranks to share; use another, or start one process",
            ("optimizer", "type"),
        )
    options = experiment.training
    for name, count in (("replicas", options.replicas), ("folds", options.folds)):
        if count is not None:
            raise ConfigError(
                f"expected one training, whose batches {ranks} ranks share, got {count} {name}; omit "
                "this, or start one process",
                ("training", name),
            )


def _check_fits(setup: Setup, ranks: int) -> None:
    if setup.batch < ranks:
        raise DataError(
            f"expected at least one example for each of {ranks} ranks, got batches of {setup.batch}; use "
            "larger batches, or start fewer processes",
            ("training", "batch_size"),
        )


def _facts(setup: Setup, base: Path) -> Facts:
    """Facts that must agree on all ranks, besides versions and experiment."""
    fingerprint, epoch = fingerprint_of(setup, base), setup.compiled.epoch
    sources = {
        f"the {part} of {name}": getattr(source, part)
        for name, source in fingerprint.sources.items()
        for part in ("rows", "names", "inputs", "targets", "weights")
    }
    parts = {f"the rows of the {name} part": digest for name, digest in fingerprint.parts.items()}
    return {**sources, **parts, STEP: [epoch.program.reductions, epoch.interface.lanes]}


def _check_alike(found: Sequence[Facts]) -> None:
    """Raise a RunError if a rank's facts differ from the first's; `found` has those of all, or none."""
    for rank, other in enumerate(found):
        first, where = found[0], f"rank {rank} ({other[HOST]})"
        if FAILURE in other:
            raise RunError(f"{where}: {other[FAILURE]}")
        for fact in first.keys() | other.keys():
            if fact != HOST and first.get(fact) != other.get(fact):
                raise RunError(f"{where} would not train the same: {_told(fact, first, other)}")


def _told(fact: str, first: Facts, other: Facts) -> str:
    if fact == STEP:
        return "its processor or its number of cores divides a step differently; set training.threads"
    if fact in VERSIONS:
        return f"{fact} is {other[fact]} there, and {first[fact]} on rank 0"
    return f"{fact} differ from those on rank 0; give all ranks the same data"
