"""Run the tries in parallel, and collect their results."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from scripts.reliability.faults import FAULTS, PLAIN, Planned
from scripts.reliability.references import make_reference
from scripts.reliability.trial import Failure, Reference, Trial, Verdict


@dataclass(frozen=True)
class Shown:
    """The result of a try.

    Args:
        detail: what went wrong, if it failed.
        folder: its files, if it failed.
    """

    planned: Planned
    verdict: Verdict
    detail: str = ""
    folder: Path = Path()


def make_references(trainings: Sequence[str], folder: Path, jobs: int) -> dict[str, Reference]:
    """Train each of these without a fault; those of `PLAIN` have their own kernel cache."""

    def make(training: str) -> Reference:
        own = folder / training
        own.mkdir(parents=True)
        return make_reference(
            training, own, folder / "caches" / (training if training in PLAIN else "shared")
        )

    with ThreadPoolExecutor(jobs) as executor:
        return dict(zip(trainings, executor.map(make, trainings), strict=True))


def make_tries(
    planned: Sequence[Planned], references: Mapping[str, Reference], folder: Path, *, seed: int, jobs: int
) -> Iterator[Shown]:
    """Run tries in parallel, and yield the result of each as it ends."""
    with ThreadPoolExecutor(jobs) as executor:
        futures = [executor.submit(make_try, one, references[one.training], folder, seed) for one in planned]
        for future in as_completed(futures):
            yield future.result()


def make_try(planned: Planned, reference: Reference, folder: Path, seed: int) -> Shown:
    """Run one try in its own folder, which is kept if the try fails."""
    trial = make_trial(planned, reference, folder, seed)
    try:
        verdict = FAULTS[planned.fault].run(trial)
    except Failure as failure:
        return Shown(planned, failure.verdict, "; ".join([*trial.notes, str(failure)]), trial.folder)
    finally:
        for child in trial.children:
            child.end()
    shutil.rmtree(trial.folder, ignore_errors=True)  # a report process may still write there
    return Shown(planned, verdict)


def make_trial(planned: Planned, reference: Reference, folder: Path, seed: int) -> Trial:
    """Prepare a try in a new folder below this one."""
    own = folder / f"{planned.fault}-{planned.training}-{planned.number}"
    own.mkdir(parents=True)
    return Trial(
        fault=planned.fault,
        training=planned.training,
        number=planned.number,
        count=planned.count,
        seed=seed,
        folder=own,
        reference=reference,
        cache=own / "cache" if FAULTS[planned.fault].is_cold else reference.cache,
    )
