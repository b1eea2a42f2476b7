"""The lecture's pages show the output and pictures of its programs, in English and in Ukrainian."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from scripts.make_lecture import (
    BLOCK,
    FOLDER,
    MEASURED,
    PAGES,
    PROGRAMS,
    ROOT,
    explain,
    fill,
    functions,
    names,
    pictures,
    run,
    shrink,
)

TEXTS = {language: page.read_text(encoding="utf-8") for language, page in PAGES.items()}
SHOWN = names(TEXTS["en"])
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]\d+)?")
TIMES = re.compile(r"measured: .*")
LARGEST = 100_000  # bytes of a picture
# Out of 255, as a mean over cells of 20 by 20 pixels. Other words differ by 0.3 to 0.5, another curve by 1.5.
SAME_PICTURE = 1.0

# Words of pictures that need no translation.
NAMES = {"tanh", "grad", "exp", "sin", "cos", "nnjit", "train", "mul", "add", "sub", "neg", "sigmoid"}
NAMES |= {"matmul", "broadcast", "params", "axes", "prev"}
QUICK: dict[str, dict[str, int]] = {  # options that make a program fast
    "by_hand": {"steps": 21},
    "predict_loss_grad": {"steps": 1},
    "three_ways": {"most": 3},
    "forward_or_reverse": {"most": 4},
    "recurrences": {"epochs": 3},
}

each_language = pytest.mark.parametrize("language", PAGES)
each_program = pytest.mark.parametrize("name", SHOWN)


def blocks(language: str) -> list[tuple[str, str]]:
    """The kind and name of each block of a page, in order."""
    return [(kind, name) for _, kind, name, _ in BLOCK.findall(TEXTS[language])]


def shown(language: str, name: str) -> str:
    """The output of a program on a page."""
    [block] = [m[0] for m in BLOCK.finditer(TEXTS[language]) if (m[2], m[3]) == ("output", name)]
    return block.partition(f"$ python scripts/lecture/{name}.py\n")[2].partition("```\n")[0]


def words(text: str) -> list[str]:
    """A program's output without decimal numbers and measurements."""
    return NUMBER.sub("#", TIMES.sub("", text)).split()


def numbers(text: str) -> list[str]:
    return NUMBER.findall(TIMES.sub("", text))


def is_close(one: str, other: str) -> bool:
    """Whether two printed numbers differ only by rounding, or two errors are similar in size."""
    a, b = float(one), float(other)
    if "e" not in one + other:
        return bool(np.isclose(a, b, rtol=1e-4, atol=2e-6))
    return max(abs(a), abs(b)) < 1e-15 or (a * b > 0 and abs(np.log10(a / b)) < 1.5)


def difference(drawn: Path, committed: Path, folder: Path) -> float:
    """The distance between two pictures, averaged over cells."""
    shrink(drawn, folder / "shrunk.png")
    seen = []
    for path in (folder / "shrunk.png", committed):
        with Image.open(path) as image:
            size = (round(image.width / 20), round(image.height / 20))
            seen.append(np.asarray(image.convert("L").resize(size, Image.Resampling.BOX), dtype=float))
    assert seen[0].shape == seen[1].shape
    return float(np.mean(abs(seen[0] - seen[1])))


@each_program
def test_the_pages_show_what_the_program_prints_and_draws(name: str, tmp_path: Path) -> None:
    printed = run(name, tmp_path)
    for language in PAGES:
        block = shown(language, name)
        assert words(block) == words(printed)
        pairs = zip(numbers(block), numbers(printed), strict=True)
        assert [pair for pair in pairs if not is_close(*pair)] == []
    drawn = [path.name for path in tmp_path.glob("*.png") if path.name in pictures(TEXTS["en"])]
    assert drawn
    for one in set(drawn) - MEASURED:
        assert difference(tmp_path / one, FOLDER / one, tmp_path) < SAME_PICTURE


def test_a_ukrainian_picture_is_that_of_its_page(tmp_path: Path) -> None:
    run("three_ways", tmp_path, "uk")
    assert difference(tmp_path / "three_ways.png", FOLDER / "uk" / "three_ways.png", tmp_path) < SAME_PICTURE


@each_language
def test_code_formulas_and_kernel_are_up_to_date(language: str) -> None:
    text = TEXTS[language]
    assert fill(text, {name: shown(language, name) for name in SHOWN}, explain()) == text


def test_both_languages_have_the_same_blocks_formulas_pictures_and_sections() -> None:
    english, ukrainian = TEXTS["en"], TEXTS["uk"]
    assert blocks("en") == blocks("uk")
    assert [f"uk/{picture}" for picture in pictures(english)] == pictures(ukrainian)
    headings, same = (re.findall(r"^## (\d+)\. ", text, re.MULTILINE) for text in (english, ukrainian))
    assert headings == same == [str(k) for k in range(1, len(headings) + 1)]
    formulas, same = (re.findall(r"^(?:∂|δ|z⁽|C|∇C).* = .*$", text, re.MULTILINE) for text in TEXTS.values())
    assert formulas == same
    assert len(formulas) > 20


@each_language
def test_links_and_named_files_exist(language: str) -> None:
    text = TEXTS[language]
    for target in re.findall(
        r"\]\((.+?)\)", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    ):
        assert (FOLDER / target).exists(), target
    for name in re.findall(r"(?:configs|scripts)/[\w./-]*\w", text):
        assert (ROOT / name).exists(), name


def test_every_program_is_on_the_pages() -> None:
    files = {path.stem for path in PROGRAMS.glob("*.py")} - {"slide", "ukrainian"}
    assert set(SHOWN) == files
    assert {name for kind, name in blocks("en") if kind == "code"} == files


def test_every_picture_is_on_a_page_and_small() -> None:
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.png")}
    assert there == {picture for text in TEXTS.values() for picture in pictures(text)}
    assert all((FOLDER / picture).stat().st_size < LARGEST for picture in there)


@each_program
def test_a_block_of_code_runs_by_itself(name: str) -> None:
    exec(compile(functions(name), name, "exec"), {"__name__": name})


@each_language
def test_the_text_refers_to_what_the_outputs_have(language: str) -> None:
    text = TEXTS[language]
    kernel, _, prose = text.partition("<!-- kernel: rows_1 -->\n")[2].partition("<!-- end -->")
    named = set(re.findall(r"`((?:mul|sigmoid|reduce_sum|input)_\w+)`", prose))
    assert len(named) == 9
    assert named <= set(re.findall(r"\w+", kernel))
    *_, last = shown(language, "three_ways").splitlines()
    assert re.search(rf"l₈′[^#]* {last.split()[2]}, ", text)


def test_every_word_of_a_picture_has_its_ukrainian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PROGRAMS)
    import slide
    from ukrainian import WORDS

    seen: set[str] = set()

    def look(figure: Any) -> bytes:
        seen.update(text.get_text() for text in figure.findobj(Text))
        return b""

    monkeypatch.setattr(slide, "to_png", look)
    for name in SHOWN:
        runpy.run_path(str(PROGRAMS / f"{name}.py"))["main"](tmp_path, **QUICK.get(name, {}))
    assert {text for text in seen if set(re.findall(r"[A-Za-z]{3,}", text)) - NAMES} <= WORDS.keys()
    assert WORDS.keys() <= seen
