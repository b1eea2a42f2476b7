"""The words of the report: the result in a sentence, how it came about, and how the training ended."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnjit.report.files import SPLIT_NAMES, RunFiles
from nnjit.report.formatting import (
    Row,
    column_name,
    count,
    is_loss,
    metric_name,
    metric_value,
    number,
    percent,
    seconds,
    sentence,
    shape,
    turned,
)
from nnjit.report.pictures.loss_curve import when_lost
from nnjit.report.pictures.outputs import told
from nnjit.report.pictures.regression import columns

WIDEST = 7  # columns of figures beside each other that a page has room for


@dataclass(frozen=True)
class Fact:
    """A figure and what it is."""

    label: str
    value: str


@dataclass(frozen=True)
class Notice:
    """A word on how the training ended; `command` is what to do about it, if anything."""

    kind: str
    text: str
    command: str = ""


def result(run: RunFiles) -> str:
    """What the network reached on the part of the data that says most, in one sentence."""
    split = run.judged_split
    figures = run.outcome.splits.get(split)
    if run.outcome.status == "diverged":
        return f"No result: the training diverged {when_lost(run)}."
    if figures is None or not run.outcome.epochs:
        return "No result: no epoch was finished."
    examples = f"{count(figures.examples, SPLIT_NAMES[split] + ' example')}"
    if run.outputs:
        return f"{sentence(told(run.outputs, figures))} on the {examples}."
    if "accuracy" in figures.metrics:
        weighted = ", counted by their weights," if run.data.is_weighted else ""
        return f"{percent(figures.metrics['accuracy'])} of the {examples}{weighted} are classified right."
    if "r2" in figures.metrics:
        return f"R² {metric_value('r2', figures.metrics['r2'])} on the {examples}{_typical_error(run)}."
    metric = next(iter(figures.metrics), None)
    if metric:
        value = metric_value(metric, figures.metrics[metric])
        return f"{sentence(metric_name(metric))} {value} on the {examples}."
    return f"Loss {number(figures.loss)} on the {examples}{_fall(run)}."


def _typical_error(run: RunFiles) -> str:
    """How far off the predictions are in their own unit, where there is one output."""
    if run.predictions is None or run.predictions.split != run.judged_split or len(run.data.targets) != 1:
        return ""
    target, prediction = columns(run.predictions, 0)
    error = number(float(abs(prediction - target).mean()), 3)
    return f"; {run.data.targets[0]} is predicted with an average error of {error}, in its own unit"


def _fall(run: RunFiles) -> str:
    losses = run.history["train_loss"]
    return f", after {number(losses[0])} in the first epoch" if len(losses) > 1 else ""


def story(run: RunFiles) -> str:
    """What was trained on what."""
    classes, targets = run.data.classes, ", ".join(run.data.targets[:4])
    aim = f"tell {count(len(classes), 'class')} apart" if classes else f"predict {targets}"
    layers, parameters = count(len(run.model.layers), "layer"), count(run.model.parameters, "parameter")
    practice = f"for {count(run.outcome.epochs, 'epoch')} on {count(run.data.examples['train'], 'example')}"
    return f"A network of {layers} with {parameters} was trained {practice} to {aim}. {caveat(run)}".strip()


def caveat(run: RunFiles) -> str:
    """What the result does not say; nothing where there is no result."""
    if run.outcome.status == "diverged" or not run.outcome.epochs:
        return ""
    if run.judged_split == "train":
        return "No examples were held out, so this says nothing about new data."
    if run.judged_split == "validation":
        return "The validation examples took no part in the descent, but may have decided when it ended."
    return "The test examples took no part in the training."


def key_figures(run: RunFiles) -> tuple[Fact, ...]:
    """The few figures to know."""
    figures = run.outcome.splits.get(run.judged_split)
    part = SPLIT_NAMES[run.judged_split]
    facts = []
    if figures:
        first = next((m for m in figures.metrics if not is_loss(m)), None)
        if first is not None:
            facts.append(Fact(f"{part} {metric_name(first)}", metric_value(first, figures.metrics[first])))
        facts.append(Fact(f"{part} loss", number(figures.loss)))
    best = run.outcome.best_epoch
    facts.append(
        Fact(
            "best epoch", f"{best:,} of {run.outcome.epochs:,}" if best else f"none of {run.outcome.epochs:,}"
        )
    )
    facts.append(Fact("parameters", f"{run.model.parameters:,}"))
    facts.append(Fact("compile time", seconds(run.outcome.seconds.get("compile", np.nan))))
    facts.append(Fact("training time", seconds(run.outcome.seconds.get("train", np.nan))))
    return tuple(facts)


def notice(run: RunFiles) -> Notice | None:
    """How the training ended, where it did not simply run its course."""
    outcome = run.outcome
    epochs = count(outcome.epochs, "epoch")
    if outcome.status == "early_stopped":
        best = (
            f" The weights of epoch {outcome.best_epoch:,}, the best one, were kept."
            if outcome.best_epoch
            else ""
        )
        word = column_name(outcome.monitor)
        return Notice("calm", f"Stopped early, after {epochs}: the {word} no longer improved.{best}")
    if outcome.status == "target_reached":
        return Notice("calm", f"Stopped after {epochs}: the training had reached its target.")
    if outcome.status == "out_of_time":
        text = f"Stopped after {epochs}: the time was over. This continues where it stopped, bit for bit:"
        return Notice("calm", text, resume_command(run.folder))
    if outcome.status == "converged":
        return Notice("calm", f"Converged after {epochs}: {outcome.message}.")
    if outcome.status == "interrupted":
        text = (
            f"Interrupted after {epochs}. Everything was saved; this continues where it stopped, bit for bit:"
        )
        return Notice("warning", text, resume_command(run.folder))
    if outcome.status == "diverged":
        mend = "A smaller learning rate, clipped gradients or scaled inputs usually help"
        reason = outcome.message or f"the training diverged: a value was no longer finite. {mend}"
        return Notice("warning", f"{sentence(reason).rstrip('.')}.")
    return None


def resume_command(folder: Path) -> str:
    """What goes on with a training or a study where it stopped."""
    return f"python -m nnjit.train --resume {shlex.quote(place(folder))}"


def split_rows(run: RunFiles) -> tuple[Row, list[Row]] | None:
    """The columns' names, and a row for each part of the data; of many figures, a row for each of them."""
    splits = run.outcome.splits
    if not splits:
        return None
    metrics = tuple(dict.fromkeys(metric for figures in splits.values() for metric in figures.metrics))
    rows = [
        (
            *(SPLIT_NAMES[name], f"{figures.examples:,}", number(figures.loss)),
            *(metric_value(m, figures.metrics[m]) if m in figures.metrics else "–" for m in metrics),
        )
        for name, figures in splits.items()
    ]
    columns = ("part of the data", "examples", "loss", *map(metric_name, metrics))
    return turned(columns, rows, widest=WIDEST)


def times(run: RunFiles) -> tuple[Fact, ...]:
    """Where the time went; compiling happens once for a network and is cached."""
    spent = {name: seconds(run.outcome.seconds.get(name, np.nan)) for name in ("compile", "train", "wall")}
    of_epochs = run.history["train_seconds"]
    of_epochs = of_epochs[np.isfinite(of_epochs)]
    facts = [
        Fact("compiling the network to machine code (little when cached)", spent["compile"]),
        Fact("training, without compiling and evaluating", spent["train"]),
    ]
    if of_epochs.sum() > 0:
        rate = run.data.examples["train"] / of_epochs.mean()
        facts.append(Fact(f"an epoch, the mean of {len(of_epochs):,}", seconds(of_epochs.mean())))
        facts.append(Fact("training examples in a second", f"about {float(f'{rate:.2g}'):,.0f}"))
    return (*facts, Fact("everything, with loading, evaluating and saving", spent["wall"]))


def whose(run: RunFiles) -> str:
    """Which weights the figures and predictions are those of."""
    outcome = run.outcome
    if not outcome.epochs:
        return "Figures and predictions are those of the weights before any training."
    mean = f", averaged over the updates ({outcome.averaging})" if outcome.averaging else ""
    if outcome.weights == "best" and outcome.best_epoch:
        end = "highest" if outcome.mode == "max" else "lowest"
        why = f", which had the {end} {column_name(outcome.monitor)}"
        best = f"the best epoch’s weights, epoch {outcome.best_epoch:,}{mean}{why}"
        return f"Figures and predictions are those of {best}."
    last = f"the weights after the last epoch, epoch {outcome.epochs:,}{mean}"
    return f"Figures and predictions are those of {last}."


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


def place(folder: Path) -> str:
    """The folder as it is typed: relative where it lies below the working directory."""
    path = Path(os.path.abspath(folder))
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
