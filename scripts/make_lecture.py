"""Update the code, outputs and pictures on the pages of docs/lecture.

A page has blocks between `<!-- KIND: NAME -->` and `<!-- end -->`, whose content is replaced:

code NAME        the functions of scripts/lecture/NAME.py
output NAME      its output
explain SECTION  that section of `nnjit explain configs/lecture_chain.yaml`; several are separated by commas
kernel NAME      the loop of that kernel

Run it after changing a program:  python scripts/make_lecture.py
The result is the same every time. The one picture of timings is redrawn only with `--measure`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from PIL import Image

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "scripts" / "lecture"
FOLDER = ROOT / "docs" / "lecture"
PAGES = {"en": FOLDER / "index.md", "uk": FOLDER / "index.uk.md"}
CONFIG = "configs/lecture_chain.yaml"
BLOCK = re.compile(r"(<!-- (code|output|explain|kernel): (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
MEASURED = {"forward_or_reverse.png"}
COLOURS = 64  # enough for lines and the grey edges of letters


def main() -> None:
    """Run all programs in both languages, and write their pictures and the pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--measure", action="store_true", help="redraw the picture of timings")
    kept = set() if parser.parse_args().measure else MEASURED
    for language, page in PAGES.items():
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            said = {name: run(name, Path(folder), language) for name in names(text)}
            for picture in map(Path, pictures(text)):
                if picture.name not in kept:
                    shrink(Path(folder) / picture.name, FOLDER / picture)
        page.write_text(fill(text, said, explain()), encoding="utf-8")
        print(page)


def names(page: str) -> list[str]:
    """The programs whose output a page shows, in page order."""
    return [name for _, kind, name, _ in BLOCK.findall(page) if kind == "output"]


def pictures(page: str) -> list[str]:
    """The pictures of a page, by their paths in its folder."""
    return re.findall(r"!\[.+?\]\((.+?\.png)\)", page)


def run(name: str, folder: Path, language: str = "en") -> str:
    """Run a program, which writes its pictures to the folder, and return its output."""
    printed = python(str(PROGRAMS / f"{name}.py"), "--output", str(folder), "--language", language)
    return re.sub(r"^drawn: .*\n", "", printed, flags=re.MULTILINE)


def explain() -> str:
    """The output of `nnjit explain` for the lecture's chain, kernels included."""
    return python("-c", "from nnjit.cli import main; main()", "explain", CONFIG, "--kernels")


def python(*words: str) -> str:
    """The output of Python with these arguments."""
    command = [sys.executable, "-X", "utf8", *words]
    return subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=True, cwd=ROOT).stdout


def fill(page: str, said: Mapping[str, str], explained: str) -> str:
    """The page with the current content in its blocks."""

    def block(found: re.Match[str]) -> str:
        begin, kind, name, end = found.groups()
        if kind == "code":
            content = f"```python\n{functions(name)}```\n"
        elif kind == "output":
            content = f"```text\n$ python scripts/lecture/{name}.py\n{said[name]}```\n"
        elif kind == "explain":
            parts = [section(explained, part) for part in name.split(", ")]
            content = f"```text\n$ nnjit explain {CONFIG}\n{chr(10).join(parts)}```\n"
        else:
            content = f"```text\n{loop(explained, name)}```\n"
        return f"{begin}{content}{end}"

    return BLOCK.sub(block, page)


def functions(name: str) -> str:
    """A program without its docstring, drawing and printing; it still runs."""
    text = (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    code = text.split('"""\n', 1)[1].partition("\n\ndef main(")[0]
    code = re.sub(r"^from slide import .*\n", "", code, flags=re.MULTILINE)
    return re.sub(r"  # noqa: \w+", "", code).strip("\n") + "\n"


def section(explained: str, title: str) -> str:
    """A section of the output of `nnjit explain`, without a trailing empty line."""
    found = re.search(rf"^{title}\n─+\n.*?(?=\n\n|\Z)", explained, re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError(f'`nnjit explain` prints no section "{title}"')
    return found[0] + "\n"


def loop(explained: str, kernel: str) -> str:
    """The loop over the examples in a kernel's source."""
    [body] = re.findall(
        rf"^def {kernel}\(.*?\n(    for .*?)(?=^    \S|\n\n)", explained, re.DOTALL | re.MULTILINE
    )
    return dedent(body)


def shrink(picture: Path, to: Path) -> None:
    """Write a picture with few colours."""
    with Image.open(picture) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(to, optimize=True)


if __name__ == "__main__":
    main()
