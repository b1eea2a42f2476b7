"""Faults of two processes that train in one run folder."""

from __future__ import annotations

import signal

from scripts.reliability.child import Ended
from scripts.reliability.hook import Fault
from scripts.reliability.trial import Failure, Trial, Verdict, check


def second_during_first(trial: Trial) -> Verdict:
    """A second process starts while the first is paused at a file operation."""
    operation = trial.spread(trial.reference.operations) + 1
    trial.notes.append(f"the first is paused at operation {operation}")
    first = trial.start(Fault((str(trial.runs),), operation=operation, signal=signal.SIGSTOP))
    stands = first.wait_for_stop()
    try:
        second = check(trial.start().wait())
    finally:
        if stands:
            first.process.send_signal(signal.SIGCONT)
    return _judge(trial, check(first.wait()), second)


def both_at_once(trial: Trial) -> Verdict:
    """Two processes start, or resume a killed run, at the same time."""
    if trial.number % 2:
        trial.break_at(trial.rng.randint(1, trial.reference.operations), signal=signal.SIGKILL)
    children = [trial.start(), trial.start()]
    return _judge(trial, *(check(child.wait()) for child in children))


def _judge(trial: Trial, *both: Ended) -> Verdict:
    """Check that one has trained, the other has finished too or refused to begin, and the run is right."""
    statuses = sorted(str(ended.status) for ended in both)
    if statuses not in (["0", "0"], ["0", "2"]):
        raise Failure(Verdict.LOST, f"exits {statuses}: {' | '.join(ended.last_line for ended in both)}")
    for ended in both:
        if ended.status == 2 and str(trial.output) not in ended.text:
            raise Failure(Verdict.UNCLEAR, f"the message does not name the folder: {ended.last_line}")
    trial.compare()
    trial.finish()
    return Verdict.CLEAN if "2" in statuses else Verdict.RIGHT
