"""README and docs/ are right: links resolve, names are complete, and the examples run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import nnjit
import nnjit.numpy as nnp
from nnjit import config
from nnjit.config.reading import read_text
from nnjit.data.encoding.kinds import kinds
from nnjit.data.source import Source
from nnjit.data.sources.table import Table
from nnjit.data.tables.reading import SUFFIXES, Reading
from nnjit.data.tables.values import MISSING_MARKS
from nnjit.nn import functional, layers
from nnjit.runs.status import Status
from nnjit.scipy import linalg, special
from nnjit.sklearn import NetworkClassifier, NetworkRegressor
from scripts.benchmark.contestants import CONTESTANTS, PEERS
from scripts.benchmark.docs import BEGIN, END, rewrite
from scripts.benchmark.workloads import WORKLOADS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
DATA, PYTHON, NUMPY, PERFORMANCE, RUN_FOLDER = (
    ROOT / "docs" / f"{name}.md" for name in ("data", "python", "numpy", "performance", "run-folder")
)
LARGEST_PICTURE = 200_000  # bytes

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks in a language, in order."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)
    return [block for of, block in found if of == language]


def without_blocks(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Anchors of a page: GitHub's names of its headings, and those in HTML."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(page), re.MULTILINE)
    return set(re.findall(r'<a id="(.+?)">', read(page))) | {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def codes(text: str) -> list[str]:
    """Words set as code."""
    return re.findall(r"`([^`\n]+)`", text)


def section(page: Path, heading: str) -> str:
    """The text below a second-level heading."""
    return re.split(r"^## ", read(page).partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> dict[str, str]:
    """Rows of the Markdown tables: the first cell, and the rest."""
    found = re.findall(r"^\| ?(.*?) ?\|(.*)\|$", text, re.MULTILINE)
    return {first: rest for first, rest in found if not first.startswith("---")}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page)):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        found = page.parent / file if file else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@each_page
def test_configs_and_scripts_that_a_page_names_exist(page: Path) -> None:
    for name in re.findall(r"(?<![\w/])(?:configs|scripts|tests|docs)/[\w./-]*\w", read(page)):
        assert (ROOT / name).exists(), name


def test_the_picture_of_the_report_is_small() -> None:
    picture = (ROOT / "docs" / "report.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < LARGEST_PICTURE


def test_the_readme_counts_the_layers() -> None:
    assert f"its {len(layers)} layers" in read(ROOT / "README.md")


def test_the_config_of_the_readme_is_the_shipped_one() -> None:
    [shown] = blocks(ROOT / "README.md", "yaml")
    assert config.resolve(read_text(shown, "README.md").data) == config.load(ROOT / "configs" / "digits.yaml")


def test_the_readme_and_the_results_say_the_same_of_digits() -> None:
    readme, results = read(ROOT / "README.md"), rows(read(ROOT / "docs" / "results.md"))
    [accuracy] = re.findall(r"^test +270 +\S+ +(\S+)$", readme, re.MULTILINE)
    assert f"{float(accuracy):.1%}".replace("%", " %") in readme
    assert f"accuracy {float(accuracy):.3f}" in results["`digits`"]


COMMANDS = [
    shlex.split(line, comments=True)
    for page in PAGES
    for block in blocks(page, "sh")
    for line in block.splitlines()
    if line.startswith("nnjit ")
]


def printed(*words: str) -> str:
    """The output of the command `nnjit`."""
    program = [sys.executable, "-c", "from nnjit.cli import main; main()", *words]
    return subprocess.run(program, capture_output=True, text=True, check=True, cwd=ROOT).stdout


@pytest.mark.parametrize("verb", sorted({command[1] for command in COMMANDS}))
def test_the_flags_of_a_command_are_in_its_help(verb: str) -> None:
    text = printed(verb, "--help")
    for flag in {word for c in COMMANDS if c[1] == verb for word in c if word.startswith("--")}:
        assert f" {flag} " in text


def test_every_verb_of_the_command_is_shown() -> None:
    verbs = re.findall(r"^  (\w+) ", printed("--help").partition("Commands:")[2], re.MULTILINE)
    assert verbs
    assert set(verbs) <= {command[1] for command in COMMANDS}


def test_every_option_and_suffix_of_a_table_is_in_the_page_about_data() -> None:
    named = set(codes(read(DATA)))
    assert set(Reading.model_fields) | set(SUFFIXES.values()) <= named
    assert {suffix for suffix in SUFFIXES if SUFFIXES[suffix] != "csv"} <= named
    assert set(MISSING_MARKS) - {""} <= named


def test_every_option_of_a_table_and_its_columns_is_in_the_page_about_data() -> None:
    options = set(Table.model_fields) - set(Source.model_fields)
    assert set(kinds) | options <= set(codes(read(DATA)))
    shown = rows(section(DATA, "Kinds of columns")) | rows(section(DATA, "Missing values"))
    named = {name for cell in shown for name in codes(cell)}
    assert {name for kind in kinds.values() for name in kind.model_fields} - {"type"} <= named


def test_every_file_of_a_run_folder_is_in_its_table(tmp_path: Path) -> None:
    options = ["training.epochs=2", "training.checkpoints={every: 1}", "optimizer.learning_rate=find"]
    save_file({"dense_2.bias": np.zeros(3)}, start := tmp_path / "start.safetensors")
    wine = ROOT / "configs" / "wine.yaml"
    run = nnjit.fit(wine, options, initial_run=start, output=tmp_path / "run", report=True)
    files = {str(file.relative_to(run.path)) for file in run.path.rglob("*") if file.is_file()}
    cells = codes("\n".join(rows(read(RUN_FOLDER))))
    patterns = [name.replace("<n>", "*") for name in cells]
    assert {file for file in files if not any(fnmatch(file, pattern) for pattern in patterns)} == set()
    assert {pattern for pattern in patterns if not any(fnmatch(file, pattern) for file in files)} == set()


def test_every_status_is_in_the_page_about_the_run_folder() -> None:
    assert set(Status) <= set(codes(read(RUN_FOLDER)))


@pytest.mark.parametrize("estimator", [NetworkClassifier, NetworkRegressor])
def test_every_parameter_of_an_estimator_is_in_its_table_and_docstring(estimator: type[Any]) -> None:
    shown = rows(section(ROOT / "docs" / "scikit-learn.md", "Parameters"))
    for name in estimator().get_params():
        assert f"`{name}`" in shown
        assert f"\n        {name}: " in (estimator.__doc__ or "")


def test_every_function_of_nnjit_is_in_the_page_about_python() -> None:
    text = " ".join(codes(read(PYTHON)))
    for name in nnjit.__all__:
        assert name.startswith("_") or name[0].isupper() or re.search(rf"\b{name}\b", text), name


@pytest.mark.parametrize("module", [special, linalg, functional], ids=lambda m: m.__name__)
def test_every_function_of_a_module_is_in_the_page_about_python(module: ModuleType) -> None:
    named = set(codes(section(PYTHON, "Automatic differentiation")))
    assert {name for name in module.__all__ if name[0].islower()} <= named


def test_every_name_of_numpy_is_in_its_table_and_counted() -> None:
    modules: list[Any] = [nnp, nnp.linalg, nnp.fft]
    names = [name for module in modules for name in module.__all__ if name != "Array"]
    shown = [name for cell in rows(section(NUMPY, "Names")).values() for name in codes(cell)]
    assert sorted(shown) == sorted(names)
    theirs = [np, np.linalg, np.fft]
    pairs = zip(modules, theirs, strict=True)
    count = sum(hasattr(their, name) for our, their in pairs for name in our.__all__)
    assert f"{count} of NumPy's names" in " ".join(read(NUMPY).split())


ADDED = {"resnet"}  # workloads since the last whole run of the benchmark


def test_nnjit_is_faster_than_its_peers_except_with_the_widest_network() -> None:
    """The README claims it."""
    measured = rows(read(PERFORMANCE).partition(BEGIN)[2].partition(END)[0])
    assert {*WORKLOADS, "workload"} - {name.strip("`") for name in measured} <= ADDED
    ratios = [float(ratio) for rest in measured.values() for ratio in re.findall(r"([\d.]+)×", rest)]
    assert len(ratios) > 2 * len(WORKLOADS.keys() - ADDED)
    slower = [
        name
        for name, rest in measured.items()
        if min(map(float, re.findall(r"([\d.]+)×", rest)), default=2) < 1
    ]
    assert slower == ["`wide`"]
    assert min(ratios) > 0.9 - 1e-9


def test_the_benchmark_replaces_its_table_alone(tmp_path: Path) -> None:
    results = {
        "machine": {"cpu": "a CPU", "cores": 2, "time": "2026-01-31T12:00:00"}
        | {"packages": {"jax": "1.2", "torch": None, "scikit-learn": None}},
        "workloads": {
            "gemm": 400.0,
            "trainings": [{
                "name": "xor", "network": "2-8-1", "noise": 0.01,
                "rows": [{"contestant": "nnjit", "step": 1e-6, "ratio": 1.0, "of_gemm": 0.4},
                         {"contestant": PEERS[0], "step": 2e-6, "ratio": 2.0}],
            }],
        },
    }  # fmt: skip
    page = tmp_path / "page.md"
    page.write_text(read(PERFORMANCE), encoding="utf-8")
    rewrite(results, page)
    before, table, after = re.split(f"{BEGIN}|{END}", read(page))
    assert [before, after] == re.split(f"{BEGIN}.*{END}", read(PERFORMANCE), flags=re.DOTALL)
    assert (
        f"| workload | network | nnjit: µs a step | of GEMM | one thread | {CONTESTANTS[PEERS[0]].title} |"
        in table
    )
    assert "| `xor` | 2-8-1 | 1.00 | 40% | – | 2.00× |" in table
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match=r"the markers .* are missing"):
        rewrite(results, page)
