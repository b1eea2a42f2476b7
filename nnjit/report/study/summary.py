"""Write the sentences and tables of a study's page: aggregated metrics, and how the runs ended."""

from __future__ import annotations

import numpy as np

from nnjit.errors import counted
from nnjit.report.formatting import (
    SPLIT_NAMES,
    Row,
    mean_value,
    metric_name,
    metric_value,
    number,
    plain,
    seconds,
    sentence,
    turned,
)
from nnjit.report.pages.summary import Fact, Notice, parameters, resume_command, running
from nnjit.report.study.study import Member, StudyFiles

WIDEST = 5  # the most columns of mean ± deviation that fit a page
WIDEST_OF_RUNS = 9


def result(study: StudyFiles) -> str:
    """State the headline aggregate in one sentence."""
    if not study.finished:
        yet, have = (" yet", "has ") if study.is_running else ("", "")
        return f"No result{yet}: none of {counted(study.metrics.count, study.word)} {have}finished."
    split, column = study.headline_split, study.headline_column
    aggregate = study.splits[split][column]
    name = "loss" if column == "loss" else metric_name(column)
    value = mean_value(column, aggregate.mean, aggregate.deviation)
    text = f"{sentence(name)} {value} on the {SPLIT_NAMES[split]} examples"
    return f"{text}, over {counted(len(study.finished), study.word)}{_all_right(study)}."


def _all_right(study: StudyFiles) -> str:
    """Say how many runs classify every example correctly, if any do."""
    if study.headline_column != "accuracy":
        return ""
    right = int((study.values(study.headline_split, "accuracy") == 1).sum())
    part = SPLIT_NAMES[study.headline_split]
    verb = "classifies" if right == 1 else "classify"
    return f"; {right} of them {verb} every {part} example correctly" if right > 0 else ""


def story(study: StudyFiles) -> str:
    """Say how the runs differ."""
    if not study.members:
        return "No run was started."
    first = study.members[0]
    if study.metrics.kind == "folds":
        return (
            f"The training data was cut into {study.metrics.count} parts; each run held out a different "
            "part for validation and was trained on the others."
        )
    seeds, last = counted(study.metrics.count, "seed"), first.seed + study.metrics.count - 1
    return (
        f"The same experiment was trained with {seeds}, {first.seed} to {last}: with different initial "
        "weights and orders of the examples. All runs share the same split of the data."
    )


def notices(study: StudyFiles) -> list[Notice]:
    """Warn about the data, and about runs that diverged or were interrupted."""
    lost, missing = study.diverged, study.metrics.count - len(study.finished) - len(study.diverged)
    texts = dict.fromkeys(text for member in study.members for text in member.run.data.warnings)
    words = [Notice("warning", f"{sentence(text)}.") for text in texts]
    if lost:
        numbers = ", ".join(str(m.number) for m in lost)
        many, counts = counted(len(lost), study.word), _counts(len(lost))
        first = lost[0].run.metrics.message
        text = f"{many} diverged ({numbers}) and {counts} in no mean. The first: {first}"
        words.append(Notice("warning", text))
    if study.is_running:
        done = f"{len(study.finished)} of {study.metrics.count} {study.metrics.kind}"
        words.append(Notice("calm", running(done)))
    elif missing:
        many, counts = counted(missing, study.word), _counts(missing)
        is_killed = any(m.run.is_killed for m in study.members)
        how = "Killed, or still running" if is_killed else "Interrupted"
        text = f"{how}: {many} did not finish and {counts} in no mean. This command continues them:"
        words.append(Notice("warning", text, resume_command(study.folder)))
    return words


def _counts(number: int) -> str:
    return "counts" if number == 1 else "count"


def key_facts(study: StudyFiles) -> list[Fact]:
    """The most important values."""
    best = [m.run.metrics.best_epoch for m in study.finished if m.run.metrics.best_epoch]
    facts = [Fact("finished", f"{len(study.finished)} of {study.metrics.count}")]
    if best:
        facts.append(Fact("best epoch, median", number(float(np.median(best)))))
    if study.members:
        facts += parameters(study.members[0].run.model)
    times = {"train": "total training time", "wall": "from start to end"}
    return facts + [
        Fact(name, seconds(study.metrics.seconds.get(key, np.nan))) for key, name in times.items()
    ]


def split_table(study: StudyFiles) -> tuple[Row, list[Row]]:
    """Tabulate the aggregates: a row for each part of the data, or, if there are many, for each value."""
    names = list(dict.fromkeys(name for values in study.splits.values() for name in values))
    columns = ("part of the data", *(n if n == "loss" else metric_name(n) for n in names))
    rows = [
        (SPLIT_NAMES[s], *(mean_value(n, v[n].mean, v[n].deviation) if n in v else "–" for n in names))
        for s, v in study.splits.items()
    ]
    return turned(columns, rows, widest=WIDEST)


def run_table(study: StudyFiles) -> tuple[Row, list[Row]]:
    """Tabulate the runs: a row for each, or, if there are few runs with many metrics, a column."""
    split = study.headline_split
    names = [name for name in study.splits.get(split, {}) if name != "loss"]
    columns = (study.word, "seed", "ended", "best epoch", "epochs", f"{SPLIT_NAMES[split]} loss")
    rows = [_row(m, split, names) for m in study.members]
    return turned((*columns, *map(metric_name, names)), rows, widest=WIDEST_OF_RUNS)


def _row(member: Member, split: str, names: list[str]) -> Row:
    metrics = member.run.metrics
    values = metrics.splits.get(split)
    facts = (str(member.number), str(member.seed), plain(metrics.status))
    epochs = (number(metrics.best_epoch) if metrics.best_epoch else "–", number(metrics.epochs))
    if values is None or not member.is_finished:
        return (*facts, *epochs, *["–"] * (1 + len(names)))
    cells = (metric_value(n, values.metrics.get(n, np.nan)) for n in names)
    return (*facts, *epochs, number(values.loss), *cells)
