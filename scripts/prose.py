"""Find turns of phrase that may not come back, in docstrings, comments, strings, configs and docs.

    python scripts/prose.py [FILE …]

Prints the place of each and what to write instead; the exit status is 1 if there is any. Patterns need few
false positives: a phrase that is often right has no row, and one that sometimes is has exceptions in its row.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
READ = ("README.md", "ARCHITECTURE.md", "configs", "docs", "nnjit", "scripts", "tests")
SUFFIXES = {".py", ".md", ".yaml", ""}
SKIPPED = {  # this table and its test; generated files
    "scripts/prose.py",
    "tests/test_prose.py",
    "docs/config.md",
    "nnjit/codegen/maths/coefficients.py",
}
UKRAINIAN = ".uk.md"
PROSE = ("COMMENT", "STRING", "FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END")  # kinds of tokens
GAP = r'[\s"#]+'  # a comment or a string may continue on the next line
NOT_THERE = r'(?<![\s"#])(?<!\b[Tt]here)'
COMPARED = r"(more|less|longer|fewer|better|\w+er than)\b"
PART = r"(all|best|both|each|few|first|half|last|many|most|none|one|part|second|some|three|two)\b"

# fmt: off
PATTERNS = {  # what may not be written; a blank stands for any gap: what to write instead
    r"(?<!lag\s)(?<!lags\s)\bbehind\b":                   "after",
    r"\bin the place of\b":                               "instead of, or for",
    r"\bNone where\b":                                    "None if",
    r"\b(leav(e|es|ing)|left) away\b":                    "omit",
    r'"""(Of which|What|Those that)\b':                   "an imperative or a noun phrase",
    rf"\b(?!{PART})\w+,? of which (?![\d|])":             "name the thing, perhaps in its own sentence",
    rf"{NOT_THERE} (is|are) no (?!{COMPARED})\w+":        "is not a, or has no",
    r"\b[Ss]ome (\d+|two|three|four|five|six|ten|twenty|hundred)\b": "about",
    r"(?<![\w.*])figures\b(?! =)(?![\"'(])|\b(one|a) figure of\b": "value, or number",
    r"\bthe very (data|file|rows?|same|values?|weights)\b": "the same, or the … itself",
    r"\bWho (?!is)[a-z]+s\b":                             "if you …, or the subject by name",
}
# fmt: on


class Hit(NamedTuple):
    """A place where a pattern is found."""

    line: int
    text: str
    pattern: str


def main(names: list[str]) -> int:
    found = [(path, hit) for path in map(Path, names or files()) for hit in hits(path)]
    for path, (line, text, pattern) in found:
        print(f'{path}:{line}: "{text}": write {PATTERNS[pattern]}')
    return int(bool(found))


def files() -> Iterator[str]:
    """Paths of the files with prose, relative to the working directory."""
    for name in READ:
        root = ROOT / name
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            inside = path.relative_to(ROOT).as_posix()
            is_read = path.suffix in SUFFIXES and not inside.endswith(UKRAINIAN) and inside not in SKIPPED
            if is_read and path.is_file():
                yield os.path.relpath(path)


def hits(path: Path) -> Iterator[Hit]:
    """The hits in a file, by line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py" or text.startswith("#!/usr/bin/env python3"):
        text = only_prose(text) if any(find(text)) else ""  # most files have none, and splitting takes long
    yield from sorted(find(text))


def find(text: str) -> Iterator[Hit]:
    for pattern in PATTERNS:
        for found in re.finditer(pattern.replace(" ", GAP), text):
            words = re.split(GAP, found[0].strip(' \t\n"#'))
            begin = found.start() + found[0].index(words[0])
            yield Hit(text.count("\n", 0, begin) + 1, " ".join(words), pattern)


def only_prose(source: str) -> str:
    """Python source with only its comments and strings, at their places; code becomes |."""
    lines = io.StringIO(source).readlines()
    shown = [re.sub(r"\S", "|", line) for line in lines]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if tokenize.tok_name[token.type] in PROSE:
            (first, begin), (last, end) = token.start, token.end
            for row in range(first, last + 1):
                code, line = shown[row - 1], lines[row - 1]
                left, right = begin if row == first else 0, end if row == last else len(line)
                shown[row - 1] = code[:left] + line[left:right] + code[right:]
    return re.sub(r"\{[^{}\n]*\}", "|", "".join(shown))  # before Python 3.12, f-strings hold their code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
