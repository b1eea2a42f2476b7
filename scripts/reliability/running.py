"""Make the tries, some at a time, and collect what they showed."""

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
    """What a try showed.

    Args:
        detail: what is wrong, if it failed.
        folder: where its files are, if it failed.
    """

    planned: Planned
    verdict: Verdict
    detail: str = ""
    folder: Path = Path()


def make_references(trainings: Sequence[str], folder: Path, jobs: int) -> dict[str, Reference]:
    """Train each of these without a fault; those of `PLAIN` have a kernel cache of their own."""

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
    """Make tries in parallel; what each showed, as it ends."""
    with ThreadPoolExecutor(jobs) as executor:
        futures = [executor.submit(make_try, one, references[one.training], folder, seed) for one in planned]
        for future in as_completed(futures):
            yield future.result()


def make_try(planned: Planned, reference: Reference, folder: Path, seed: int) -> Shown:
    """Make one try in a folder of its own, which stays if it fails."""
    trial = make_trial(planned, reference, folder, seed)
    try:
        verdict = FAULTS[planned.fault].run(trial)
    except Failure as failure:
        return Shown(planned, failure.verdict, "; ".join([*trial.notes, str(failure)]), trial.folder)
    finally:
        for child in trial.children:
            child.end()
    shutil.rmtree(trial.folder, ignore_errors=True)  # a report's process may write there still
    return Shown(planned, verdict)


def make_trial(planned: Planned, reference: Reference, folder: Path, seed: int) -> Trial:
    """A try that is about to begin, in a new folder below this one."""
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
