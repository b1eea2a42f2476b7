"""The command line of `scripts/faults.py`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.reliability import disk
from scripts.reliability.faults import FAULTS, PLAIN, Planned, plan
from scripts.reliability.running import Shown, make_references, make_tries
from scripts.reliability.table import rewrite, table
from scripts.reliability.trainings import TRAININGS
from scripts.reliability.trial import Failure


def main(words: Sequence[str] | None = None) -> int:
    """Run the tries, print the table, and return 1 if any failed."""
    given = _parser().parse_args(words)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="nnjit-faults-"))
    began = time.monotonic()
    trainings = list(dict.fromkeys(one.training for one in plan(1, given.only)))
    try:
        references = make_references(trainings, folder / "references", given.jobs)
    except Failure as failure:
        print(f"without any fault: {failure.verdict}: {failure}; the files are in {folder}", file=sys.stderr)
        return 1
    operations = max((references[name].operations for name in trainings if name in PLAIN), default=0)
    planned = _possible(plan(given.tries, given.only, operations))
    if given.number is not None:
        planned = [one for one in planned if one.number == given.number]
    print(f"{len(planned)} tries with {len(references)} trainings, in {folder}", flush=True)
    results = []
    for shown in make_tries(planned, references, folder / "tries", seed=given.seed, jobs=given.jobs):
        results.append(shown)
        _tell(shown, len(results), len(planned), given)
    text = f"{table(results)}\n\n{_footnote(results, references, time.monotonic() - began, given)}"
    print(text)
    if given.docs:
        rewrite(text)
    return int(any(shown.verdict.is_failure for shown in results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("faults.py", description="Break trainings on purpose, then finish them.")
    names = {"faults": ", ".join(FAULTS), "trainings": ", ".join(TRAININGS)}
    only = f"only these; faults: {names['faults']}; trainings: {names['trainings']}"
    kinds = [*FAULTS, *TRAININGS]
    add = parser.add_argument
    add("--tries", type=int, default=200, help="tries per fault; some get more or fewer (200)")
    add("--only", nargs="+", default=(), metavar="KIND", choices=kinds, help=only)
    add("--number", type=int, help="run only the try with this number, to repeat it")
    add("--seed", type=int, default=0, help="random seed (0)")
    add("--jobs", type=int, default=os.cpu_count(), help="parallel tries (one per core)")
    add("--folder", type=Path, help="folder for all files (a new temporary one)")
    add("--docs", action="store_true", help="write the table into docs/reliability.md")
    return parser


def _possible(planned: list[Planned]) -> list[Planned]:
    """The tries that this user can make."""
    if disk.can_mount() or all(one.fault != "small_disk" for one in planned):
        return planned
    print("small_disk is skipped: this user may not mount file systems", file=sys.stderr)
    return [one for one in planned if one.fault != "small_disk"]


def _tell(shown: Shown, done: int, total: int, given: argparse.Namespace) -> None:
    """Print a failure and how to repeat it; now and then, print the progress."""
    if shown.verdict.is_failure:
        one = shown.planned
        words = ["--only", one.fault, one.training, "--tries", str(given.tries), "--seed", str(given.seed)]
        command = shlex.join(["python", "scripts/faults.py", *words, "--number", str(one.number)])
        print(f"{shown.verdict}: {shown.detail}\n    in {shown.folder}; again: {command}", flush=True)
    elif done % 100 == 0:
        print(f"{done} of {total}", flush=True)


def _footnote(
    results: Sequence[Shown], trainings: Iterable[str], seconds: float, given: argparse.Namespace
) -> str:
    names = ", ".join(f"`{name}`" for name in trainings)
    return (
        f"{len(results)} tries (`--tries {given.tries} --seed {given.seed}`) in {seconds / 60:.0f} minutes. "
        f"What was trained: {names}."
    )
