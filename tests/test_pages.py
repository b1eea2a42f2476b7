"""Run everything that README and docs/ show: commands, Python, C, and configs.

The blocks of a page run in order, in one folder. A block that cannot run here begins with the line
`# needs …`. A YAML block that begins with `# name.yaml` becomes that file for the commands after it; others
are fragments of a config.
"""

from __future__ import annotations

import contextlib
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nnjit import config
from nnjit.config.reading import read_text
from scripts import make_config_docs, make_internals
from tests.cli.command import run as nnjit

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted(DOCS.rglob("*.md"))]
UNTRIED = "# needs "
LEAST = {"data": {"type": "sklearn", "dataset": "digits"}, "model": [{"type": "dense"}], "loss": "hinge"}
NOT_SHIPPED = {  # the reader's own table in an example of the README
    "prices.csv": "size,rooms,price\n" + "".join(f"{50 + k},{1 + k % 4},{100 + 3 * k}\n" for k in range(60)),
    "new.csv": "size,rooms\n70,2\n",
}


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    name = page.relative_to(ROOT).as_posix()
    return [Block(name, language, text) for language, text in found]


LECTURE = DOCS / "lecture"  # excerpts of programs, which tests/test_lecture_page.py runs
RUN = [page for page in PAGES if LECTURE not in page.parents and any(b.language for b in blocks(page))]


def commands(block: Block) -> Iterator[list[str]]:
    """Its commands, split into words; `&&` separates two commands."""
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        while "&&" in words:
            yield words[: words.index("&&")]
            words = words[words.index("&&") + 1 :]
        if words:
            yield words


class Reader:
    """A reader who runs the blocks of one page in one folder."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self.names: dict[str, Any] = {"__name__": "page"}
        self.printed, self.before, self._capture = "", "", capture

    def read(self, block: Block) -> None:
        if not block.text.startswith(UNTRIED):
            getattr(self, f"read_{block.language or 'output'}")(block)
            self.printed += self._capture.readouterr().out
        self.before = block.language

    def read_output(self, block: Block) -> None:
        """After a command, compare with its output, numbers masked; other blocks are messages or formulas."""
        if self.before == "sh":
            assert masked(block.text) in masked(self.printed)

    def read_llvm(self, block: Block) -> None:
        """Another test checks it."""

    def read_python(self, block: Block) -> None:
        exec(compile(block.text, block.page, "exec"), self.names)

    def read_yaml(self, block: Block) -> None:
        name = re.match(r"# (\S+\.yaml)\n", block.text)
        if name:
            Path(name[1]).write_text(block.text, encoding="utf-8")
        title = block.text.partition("\n")[0]
        for file in Path().glob("*.yaml"):  # a config that `nnjit init` has just written
            written = file.read_text(encoding="utf-8")
            assert not title.startswith("#") or not written.startswith(title) or written == block.text
        given: dict[str, Any] = dict(read_text(block.text, block.page).data)
        whole = LEAST | given
        if "losses" in given:
            del whole["loss"]
        config.resolve(whole)

    def read_c(self, block: Block) -> None:
        [name] = re.findall(r"\A/\* (\S+\.c) \*/$", block.text, re.MULTILINE)
        Path(name).write_text(block.text, encoding="utf-8")

    def read_sh(self, block: Block) -> None:
        for words in commands(block):
            output = words[-1] if words[-2:-1] == [">"] else None
            self.command(words[:-2] if output else words)

    def command(self, words: list[str]) -> None:
        match words:
            case ["nnjit", *rest] | ["python", "-m", "nnjit.train", *rest]:
                assert nnjit(*(["train"] * (words[0] == "python")), *rest) == 0, words
            case ["pip", "install", *rest]:
                assert set(re.findall(r"[\w-]+(?=[,\]])", " ".join(rest))) <= extras(), words
            case ["python", script, *rest]:
                run_script(script, rest)
            case ["gcc", *_]:
                if shutil.which("gcc"):
                    subprocess.run(words, check=True)
            case ["python3", "-m", "venv", _] | [".", ".venv/bin/activate"]:
                """Run by .ci/run, in a folder of its own."""
            case [("scripts/test" | "scripts/check") as script]:
                assert f"\n{script}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
            case ["mkdocs", *_]:
                """Run by test_the_site_builds."""
            case _:
                raise AssertionError(f"no way to run {words}")


def masked(text: str) -> str:
    """Text with # for numbers, whose last digits differ between processors, and single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"\d[\d.]*(e-\d+)?", "#", text)).strip()


def run_script(script: str, rest: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(SystemExit):
        patch.setattr(sys, "argv", [script, *rest])
        runpy.run_path(script, run_name="__main__")


def extras() -> set[str]:
    return set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_everything_that_a_page_shows_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for folder in ("configs", "scripts"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    for name, text in NOT_SHIPPED.items():
        Path(name).write_text(text)
    reader = Reader(capsys)
    for block in blocks(page):
        reader.read(block)


def test_blocks_that_are_not_run_say_what_they_need() -> None:
    untried = [block for page in PAGES for block in blocks(page) if block.text.startswith(UNTRIED)]
    assert {block.text.partition("\n")[0] for block in untried} == {
        "# needs PyTorch",
        "# needs a PostgreSQL server",
        "# needs machines of a Dask cluster",
        "# needs a file of its own, which the workers can import",
        "# needs MPI",
        "# needs an hour",
        "# needs an hour on an idle machine",
        "# needs a program around it: this is one function of it",
    }


def test_the_reference_of_the_config_is_current() -> None:
    assert make_config_docs.written() == make_config_docs.PAGE.read_text(encoding="utf-8"), (
        "run python scripts/make_config_docs.py"
    )


def test_the_texts_of_the_internals_are_current() -> None:
    page = make_internals.PAGE.read_text(encoding="utf-8")
    assert make_internals.written(page, make_internals.texts()) == page, (
        "run python scripts/make_internals.py"
    )


def test_the_llvm_of_the_internals_is_of_vectors_of_four() -> None:
    """The numbers and their order depend on the version of LLVM."""
    [shown] = [block.text for block in blocks(make_internals.PAGE) if block.language == "llvm"]
    made = make_internals.llvm()
    for word in ("load <4 x float>", "fmul", "fdiv", "fsub", "store <4 x float>"):
        assert word in shown
        assert word in made


def targets(page: Path) -> set[Path]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)\s#]+)", text)
    return {(page.parent / link).resolve() for link in links if not link.startswith("https:")}


def test_every_page_is_reachable_from_the_readme() -> None:
    found, new = set[Path](), {ROOT / "README.md"}
    while new:
        found |= new
        new = {target for page in new for target in targets(page) if target.suffix == ".md"} - found
    assert set(PAGES) <= found


def test_the_site_builds_without_a_broken_link(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the site needs the extra docs")
    pytest.importorskip("material", reason="the site needs the extra docs")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").exists()
    assert (tmp_path / "search" / "search_index.json").exists()
