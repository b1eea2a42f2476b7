"""Train the shipped configs, and write what they reach into the tables of `docs/results.md`.

python scripts/make_results.py [CONFIG …]       a few minutes; with names, only these rows

Each config is trained as it ships, and most again with the seeds 0 to 4. Rows whose data set is absent do not
change: `--data DIR`, or NNJIT_DATA, is the folder of `mnist`, `adult` and `tables`.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nnjit
from nnjit.training import Run

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results.md"
CONFIGS = ROOT / "configs"
SEEDS = range(5)


@dataclass(frozen=True)
class Row:
    """A config in the table.

    Args:
        metrics: columns of the part, e.g. `accuracy`.
        part: the part of the data that they are measured on.
        has_seeds: whether it is quick enough to train with several seeds.
    """

    about: str
    metrics: Sequence[str] = ("accuracy",)
    part: str = "test"
    has_seeds: bool = True


# fmt: off
NETWORKS: Mapping[str, Row] = {
    "lecture_chain": Row("the lecture's chain 1-1-1-1 of sigmoids, full batch", ("loss",), "train"),
    "xor":           Row("2-8-1, a full batch of four rows", part="train"),
    "xor_replicas":  Row("2-2-1 from 100 seeds: how many find xor", part="train", has_seeds=False),
    "digits":        Row("8×8 digits, dropout, early stopping"),
    "breast_cancer": Row("two classes, 30 measurements"),
    "wine":          Row("three classes, 13 measurements"),
    "diabetes":      Row("regression, 10 measurements", ("r2",)),
    "moons":         Row("two inputs: decision regions in the report"),
    "residual":      Row("digits, with `from`, `add` and `concat`"),
    "two_outputs":   Row("species and petal width of an iris", ("kind_accuracy", "width_r2")),
    "search":        Row("digits, before its search"),
    "adding":        Row("an LSTM over 50 steps; the mean has 0.167", ("mse",), has_seeds=False),
    "sunspots":      Row("an LSTM's forecast of the next year", ("mae",)),
    "embeddings":    Row("census data, a vector for each category", has_seeds=False),
    "mnist":         Row("the 10,000 test images of MNIST, dense layers"),
    "nielsen":       Row("the same images, the lecture's 784-30-10", has_seeds=False),
    "lenet_mnist":   Row("the same images, convolutions", has_seeds=False),
}
FILES = {  # config: the option that names its data set, and the place of that in the folder of data
    "sunspots":      ("data.file", "tables/sunspots.csv"),
    "embeddings":    ("data.file", "adult/train.csv"),
    "mnist":         ("data.folder", "mnist"),
    "nielsen":       ("data.folder", "mnist"),
    "lenet_mnist":   ("data.folder", "mnist"),
}
OPTIMIZERS: Mapping[str, str] = {
    "gradient_descent":    "a fixed step",
    "armijo":              "gradient descent with a backtracking search",
    "wolfe":               "gradient descent with a strong Wolfe search",
    "conjugate_gradient":  "Polak–Ribière",
    "lbfgs":               "the last ten steps",
    "newton_cg":           "Hessian-vector products",
    "levenberg_marquardt": "nonlinear least squares",
    "adam":                "the full batch",
}
FORMATS = {"loss": ".1e", "mse": ".1e", "mae": ".1f"}  # others: three decimals
# fmt: on
TABLES = {
    "networks": ("config", "what", "parameters", "reaches", "seeds 0–4", "epochs"),
    "optimizers": ("config", "what", "lowest cost", "seeds 0–4", "epochs"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the configs, and rewrite their rows."""
    parser = argparse.ArgumentParser(prog="scripts/make_results.py", description="Write docs/results.md.")
    parser.add_argument("configs", nargs="*", choices=[*NETWORKS, *OPTIMIZERS, []], metavar="CONFIG")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("NNJIT_DATA") or ROOT / "data"))
    given = parser.parse_args(arguments)
    text = PAGE.read_text(encoding="utf-8")
    kept = rows_of(text)
    found = {name: kept.get(name) for name in (*NETWORKS, *OPTIMIZERS)}
    for name in given.configs or found:
        cells = _optimizer(name) if name in OPTIMIZERS else _network(name, given.data)
        found[name] = cells or found[name]
        print(
            line(cells) if cells else f"{name}: no data in {given.data}; its row does not change", flush=True
        )
    PAGE.write_text(written(text, {name: cells for name, cells in found.items() if cells}), encoding="utf-8")


def rows_of(text: str) -> dict[str, list[str]]:
    """The cells of each row of the page's tables, by the name of the config."""
    cells = [row[2:-2].split(" | ") for row in re.findall(r"^\| `\w+` \|.*\|$", text, re.MULTILINE)]
    return {row[0].strip("`"): row for row in cells}


def written(text: str, rows: Mapping[str, Sequence[str]]) -> str:
    """The page with these rows in its tables."""
    for table, header in TABLES.items():
        names = NETWORKS if table == "networks" else OPTIMIZERS
        body = [header, ["---"] * len(header), *(rows[name] for name in names if name in rows)]
        begin, end = (f"<!-- {table}:{side} -->" for side in ("begin", "end"))
        block = "\n".join([begin, *map(line, body), end])
        text, count = re.subn(f"{begin}.*?{end}", lambda _, block=block: block, text, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"{PAGE}: expected the markers {begin} and {end} once, got {count}")
    return text


def line(cells: Sequence[str]) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


def _network(name: str, data: Path) -> list[str] | None:
    """The row of a config; None if its data set is absent."""
    row = NETWORKS[name]
    files = []
    if name in FILES:
        option, place = FILES[name]
        if not (data / place).exists():
            return None
        files = [f"{option}={data / place}"]
    path = CONFIGS / f"{name}.yaml"
    done = nnjit.fit(path, files, output=False, quiet=True)
    parameters = f"{done.metrics['parameters']:,}"
    if not isinstance(done, Run):
        runs = done.metrics["runs"]
        right = sum(run["splits"][row.part]["accuracy"] == 1 for run in runs)
        return [f"`{name}`", row.about, parameters, f"{right} of {len(runs)}", "", str(runs[0]["epochs"])]
    reached = [_values(done, row)]
    if row.has_seeds:
        reached += [_values(_with_seed(path, files, seed), row) for seed in SEEDS]
    shipped, *others = (dict(zip(row.metrics, values, strict=True)) for values in reached)
    words = ", ".join(f"{_word(metric)} {_number(metric, value)}" for metric, value in shipped.items())
    part = "" if row.part == "test" else f" ({row.part})"
    ranges = "; ".join(_range(metric, [each[metric] for each in others]) for metric in row.metrics if others)
    return [f"`{name}`", row.about, parameters, words + part, ranges, str(done.metrics["epochs"])]


def _optimizer(name: str) -> list[str]:
    path = CONFIGS / "optimizers" / f"{name}.yaml"
    runs = [_with_seed(path, [], seed) for seed in SEEDS]
    shipped = nnjit.fit(path, output=False, quiet=True)
    assert isinstance(shipped, Run)
    lowest = [float(run.history["train_loss"].min()) for run in (shipped, *runs)]
    epochs = str(shipped.metrics["epochs"])
    return [f"`{name}`", OPTIMIZERS[name], _number("loss", lowest[0]), _range("loss", lowest[1:]), epochs]


def _with_seed(path: Path, files: Sequence[str], seed: int) -> Run:
    run = nnjit.fit(path, [*files, f"seed={seed}"], output=False, quiet=True)
    assert isinstance(run, Run)
    return run


def _values(run: Run, row: Row) -> list[float]:
    return [run.metrics["splits"][row.part][metric] for metric in row.metrics]


def _word(metric: str) -> str:
    return "cost" if metric == "loss" else metric.replace("_", " ")


def _range(metric: str, values: Sequence[float]) -> str:
    return f"{_number(metric, min(values))} – {_number(metric, max(values))}"


def _number(metric: str, value: float) -> str:
    """A value as the tables show it: `0.996`, `4.6e-5`."""
    return re.sub(r"e([-+])0?(\d)", r"e\1\2", f"{value:{FORMATS.get(metric, '.3f')}}").replace("e+", "e")


if __name__ == "__main__":
    main()
