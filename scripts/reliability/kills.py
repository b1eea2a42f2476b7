"""Faults that end a process early: kill −9, and the signals that ask it to stop."""

from __future__ import annotations

import signal

from scripts.reliability.hook import Fault
from scripts.reliability.trial import Failure, Trial, Verdict, check

STOPPING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
MOST_KILLS = 3
REPORTS = 4
"""One try in this many draws a report of the killed run."""


def at_operation(trial: Trial) -> Verdict:
    """A process is killed (−9) at a file operation in the run folder."""
    trial.break_at(trial.spread(trial.reference.operations) + 1, signal=signal.SIGKILL)
    trial.finish()
    return Verdict.RIGHT


def at_moment(trial: Trial) -> Verdict:
    """A process is killed (−9) at a random moment, up to three times; some tries draw its report."""
    for _ in range(trial.rng.randint(1, MOST_KILLS)):
        trial.break_after(trial.moment(), signal=signal.SIGKILL)
    if trial.number % REPORTS == 0:
        _draw(trial)
    trial.finish()
    return Verdict.RIGHT


def in_cold_cache(trial: Trial) -> Verdict:
    """A process is killed (−9) at a file operation in the kernel cache, while it fills it."""
    operation = trial.spread(trial.reference.compiling) + 1
    fault = Fault((str(trial.cache),), operation=operation, signal=signal.SIGKILL)
    check(trial.start(fault).wait(), signal.SIGKILL)
    trial.finish()
    return Verdict.RIGHT


def stopped(trial: Trial) -> Verdict:
    """SIGTERM, SIGHUP or SIGINT at a file operation, or at a random moment."""
    sent = STOPPING[trial.number % len(STOPPING)]
    if trial.rng.random() < 0.5:
        ended = trial.break_after(trial.moment(), signal=sent)
    else:
        ended = trial.break_at(trial.spread(trial.reference.operations) + 1, signal=sent)
    if ended.status not in (0, 130, 128 + sent, -sent):
        raise Failure(Verdict.LOST, f"exit {ended.status} after {sent.name}: {ended.last_line}")
    trial.finish()
    return Verdict.RIGHT


def _draw(trial: Trial) -> None:
    """Draw the report of a killed run; without any epochs, a message is enough."""
    ended = check(trial.run_command("report", str(trial.output)).wait())
    has_epochs = any(
        len(p.read_text(encoding="utf-8").splitlines()) > 1 for p in trial.output.rglob("history.csv")
    )
    if ended.status not in ((0,) if has_epochs else (0, 2)):
        raise Failure(Verdict.LOST, f"no report: exit {ended.status}: {ended.last_line}")
