"""Write the sentences and tables of a report: the result, its conditions, and how the training ended."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from nnjit.errors import counted, shell_word
from nnjit.report.files import RunFiles
from nnjit.report.formatting import (
    SPLIT_NAMES,
    Row,
    column_name,
    is_loss,
    metric_name,
    metric_value,
    number,
    seconds,
    sentence,
    shape,
    turned,
)
from nnjit.runs.explanation import KernelSummary
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.model import ModelEntry
from nnjit.runs.status import Status

WIDEST = 7  # the most columns that fit a page


@dataclass(frozen=True)
class Fact:
    """A labelled value."""

    label: str
    value: str


@dataclass(frozen=True)
class Notice:
    """How the training ended; `command` is what to run next, if anything."""

    kind: str
    text: str
    command: str = ""


def story(run: RunFiles) -> str:
    """A sentence on the network, its size and its training data."""
    if not run.model.layers:
        return "The training was killed before it began."
    classes, targets = run.data.classes, ", ".join(run.data.targets[:4])
    aim = f"tell {counted(len(classes), 'class')} apart" if classes else f"predict {targets}"
    layers, parameters = counted(len(run.model.layers), "layer"), parameter_words(run.model)
    practice = (
        f"for {counted(run.metrics.epochs, 'epoch')} on {counted(run.data.examples['train'], 'example')}"
    )
    return f"A network of {layers} with {parameters} was trained {practice} to {aim}. {caveat(run)}".strip()


def parameter_words(model: ModelEntry) -> str:
    """The number of trained parameters, and of frozen ones if any."""
    if not model.frozen:
        return counted(model.parameters, "parameter")
    return f"{counted(model.parameters, 'trained parameter')} and {model.frozen:,} frozen ones"


def caveat(run: RunFiles) -> str:
    """A sentence on the limits of the result; empty without a result."""
    if run.metrics.status is Status.DIVERGED or not run.metrics.splits or not run.metrics.epochs:
        return ""
    return f"{_held_out(run)} {_without_value(run)}".strip()


def _held_out(run: RunFiles) -> str:
    if run.headline_split == "train":
        return "No examples were held out, so this says nothing about new data."
    if run.headline_split == "validation":
        return "The validation examples were not trained on, but may have decided when training ended."
    return "The test examples played no part in the training."


def _without_value(run: RunFiles) -> str:
    """A sentence on ranking metrics without a value; empty if all have one."""
    names = [column_name(column) for column in run.metrics.without_value]
    if not names:
        return ""
    verb = "has" if len(names) == 1 else "have"
    return f"The {', '.join(names)} {verb} no value: all targets are the same, so nothing can be ranked."


def key_facts(run: RunFiles) -> tuple[Fact, ...]:
    """The most important values."""
    values = run.metrics.splits.get(run.headline_split)
    part = SPLIT_NAMES[run.headline_split]
    facts = []
    if values:
        first = next((m for m in values.metrics if not is_loss(m)), None)
        if first is not None:
            facts.append(Fact(f"{part} {metric_name(first)}", metric_value(first, values.metrics[first])))
        facts.append(Fact(f"{part} loss", number(values.loss)))
    facts.append(_epochs(run.metrics))
    facts += parameters(run.model)
    facts.append(Fact("compile time", seconds(run.metrics.seconds.get("compile", np.nan))))
    facts.append(Fact("training time", seconds(run.metrics.seconds.get("train", np.nan))))
    return tuple(facts)


def parameters(model: ModelEntry) -> list[Fact]:
    """The numbers of trained and frozen parameters."""
    if not model.frozen:
        return [Fact("parameters", f"{model.parameters:,}")]
    counts = {"trained": model.parameters, "frozen": model.frozen}
    return [Fact(f"{kind} parameters", f"{count:,}") for kind, count in counts.items()]


def _epochs(metrics: RunMetrics) -> Fact:
    if not metrics.monitor:
        return Fact("epochs", f"{metrics.epochs:,}")
    best = f"{metrics.best_epoch:,}" if metrics.best_epoch else "none"
    return Fact("best epoch", f"{best} of {metrics.epochs:,}")


def notice(run: RunFiles) -> Notice | None:
    """Say how the training ended; None if it simply completed."""
    metrics = run.metrics
    epochs = counted(metrics.epochs, "epoch")
    if run.is_running:
        return Notice("calm", running(f"epoch {metrics.epochs:,}"))
    if metrics.status is Status.KILLED:
        return Notice("warning", _killed(run), resume_command(run.folder))
    if metrics.status is Status.EARLY_STOPPED:
        best = (
            f" The weights of epoch {metrics.best_epoch:,}, the best one, were kept."
            if metrics.best_epoch and metrics.weights == "best"
            else ""
        )
        word = column_name(metrics.monitor)
        return Notice("calm", f"Stopped early, after {epochs}: the {word} no longer improved.{best}")
    if metrics.status is Status.TARGET_REACHED:
        return Notice("calm", f"Stopped after {epochs}: the training had reached its target.")
    if metrics.status is Status.STOPPED:
        return Notice("calm", f"Stopped after {epochs}, as the on_epoch function asked.")
    if metrics.status is Status.OUT_OF_TIME:
        text = f"Stopped after {epochs}: the time was up. This continues where it stopped, bit for bit:"
        return Notice("calm", text, resume_command(run.folder))
    if metrics.status is Status.CONVERGED:
        return Notice("calm", f"Converged after {epochs}: {metrics.message}.")
    if metrics.status is Status.INTERRUPTED:
        text = (
            f"Interrupted after {epochs}. Everything was saved; this continues where it stopped, bit for bit:"
        )
        return Notice("warning", text, resume_command(run.folder))
    if metrics.status is Status.DIVERGED:
        mend = "A smaller learning rate, clipped gradients or scaled inputs usually help"
        reason = metrics.message or f"the training diverged: a value was no longer finite. {mend}"
        return Notice("warning", f"{sentence(reason).rstrip('.')}.")
    return None


def running(state: str) -> str:
    """Say that a training is running, and how old the page is."""
    drawn = f"drawn at {datetime.now():%H:%M:%S} and redrawn within 30 s"
    return f"The training is running: this is its state after {state}, {drawn}."


def _killed(run: RunFiles) -> str:
    """Say when a training was killed, which files are missing, and where a resumed one starts."""
    epochs = run.metrics.epochs
    when = f"after epoch {epochs:,}" if epochs else "before its first epoch ended"
    lack = f" Its folder lacks {', '.join(run.missing)}." if run.missing else ""
    start = "continues from its last checkpoint" if run.has_checkpoint else "starts over (no checkpoint)"
    return f"The training was killed {when}, or is still running.{lack} If it was killed, this {start}:"


def warnings(run: RunFiles) -> list[Notice]:
    """Warnings about the data that put the metrics in doubt."""
    return [Notice("warning", f"{sentence(text)}.") for text in run.data.warnings]


def resume_command(folder: Path) -> str:
    """The command that resumes a training or a study."""
    return f"python -m nnjit.train --resume {shell_word(path_as_typed(folder))}"


def split_rows(run: RunFiles) -> tuple[Row, list[Row]] | None:
    """Tabulate loss and metrics: a row for each part of the data, or, if there are many, for each metric."""
    splits = run.metrics.splits
    if not splits:
        return None
    metrics = tuple(dict.fromkeys(metric for values in splits.values() for metric in values.metrics))
    rows = [
        (
            *(SPLIT_NAMES[name], f"{values.examples:,}", number(values.loss)),
            *(metric_value(m, values.metrics[m]) if m in values.metrics else "–" for m in metrics),
        )
        for name, values in splits.items()
    ]
    simple: dict[str, Mapping[str, float]] = {
        f"repeating the {name}": _naive(run, errors) for name, errors in run.data.naive.items()
    }
    if run.metrics.baseline:
        simple["baseline"] = run.metrics.baseline
    for name, known in simple.items():
        values = (metric_value(m, known[m]) if m in known else "–" for m in metrics)
        rows.append((f"{SPLIT_NAMES[run.headline_split]} ({name})", "", "–", *values))
    columns = ("part of the data", "examples", "loss", *map(metric_name, metrics))
    return turned(columns, rows, widest=WIDEST)


def _naive(run: RunFiles, errors: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, float]:
    """The known metrics of a naive forecast, for each target if there are several."""
    found: dict[str, float] = {}
    for kind, values in errors.get(run.headline_split, {}).items():
        if len(values) == len(run.data.targets) == 1:
            found[kind] = values[0]
        else:
            found |= {f"{name}_{kind}": v for name, v in zip(run.data.targets, values, strict=False)}
    return found


def times(run: RunFiles) -> tuple[Fact, ...]:
    """The times of all sessions together; a network is compiled once and cached."""
    spent = {name: seconds(run.metrics.seconds.get(name, np.nan)) for name in ("compile", "train", "wall")}
    of_epochs = run.history["train_seconds"]
    of_epochs = of_epochs[np.isfinite(of_epochs)]
    facts = [
        Fact("compiling the network to machine code (little when cached)", spent["compile"]),
        Fact("training, without compiling and evaluating", spent["train"]),
    ]
    if of_epochs.sum() > 0:
        per_second = run.data.examples["train"] / of_epochs.mean()
        facts.append(Fact(f"one epoch, mean of {len(of_epochs):,}", seconds(of_epochs.mean())))
        facts.append(Fact("training examples per second", f"about {float(f'{per_second:.2g}'):,.0f}"))
    return (*facts, Fact("total, including loading, evaluating and saving", spent["wall"]))


def whose(run: RunFiles) -> str:
    """Say which weights the metrics and predictions belong to, and why."""
    metrics = run.metrics
    if not metrics.epochs:
        return "Metrics and predictions are those of the untrained weights."
    mean = f", averaged over the updates ({metrics.averaging})" if metrics.averaging else ""
    if metrics.weights == "best" and metrics.best_epoch:
        best = f"the best epoch’s weights, epoch {metrics.best_epoch:,}{mean}, which had {_record(metrics)}"
        return f"Metrics and predictions are those of {best}."
    last = f"the weights after the last epoch, epoch {metrics.epochs:,}{mean}{_why_last(metrics)}"
    return f"Metrics and predictions are those of {last}."


def _record(metrics: RunMetrics) -> str:
    """The criterion that makes an epoch the best."""
    return f"the {'highest' if metrics.mode == 'max' else 'lowest'} {column_name(metrics.monitor)}"


def _why_last(metrics: RunMetrics) -> str:
    """Say why the last weights count rather than the best."""
    if metrics.status is Status.TARGET_REACHED:
        return ", with which the training reached its target"
    if not metrics.monitor:
        return ": without a validation part, no epoch is chosen unless `training.keep: best` asks for it"
    if not metrics.best_epoch:
        return f": no epoch had a finite {column_name(metrics.monitor)}"
    return f", as `training.keep: last` asks; epoch {metrics.best_epoch:,} had {_record(metrics)}"


def kernel_size(kernel: KernelSummary) -> str:
    """`n × 64 × 10` for a product, `3 operations` for loops."""
    return kernel.product or counted(kernel.operations, "operation")


def input_words(run: RunFiles) -> str:
    """The shape that `predict` takes."""
    return f"({', '.join(['n', *map(str, run.model.input_shape)])})"


def tensors(run: RunFiles) -> tuple[Fact, ...]:
    """The arrays in the safetensors files."""
    return tuple(
        Fact(f"{layer.name}.{name}", shape(sizes))
        for layer in run.model.layers
        for name, sizes in layer.parameters.items()
    )


def path_as_typed(folder: Path) -> str:
    """The path as a user would type it: relative if it is below the working directory."""
    try:
        here, path = Path.cwd(), Path(os.path.abspath(folder))
    except FileNotFoundError:  # the working directory has been deleted
        return str(folder)
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
