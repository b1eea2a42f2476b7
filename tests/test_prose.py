"""`scripts/prose.py` finds each pattern, at its line, in prose alone."""

from pathlib import Path

import pytest

from scripts.prose import PATTERNS, files, find, hits, main

# fmt: off
FOUND = (
    ("the layer behind it",                     "behind"),
    ("a mean in the place of a sum",            "in the place of"),
    ("the name, None where it has none",        "None where"),
    ("batches that are left away",              "left away"),
    ('"""What it stores on disk."""',           "What"),
    ('"""Of which columns it consists."""',     "Of which"),
    ("the sums, of which a lane has a part",    "sums, of which"),
    ("a matrix of which a step updates rows",   "matrix of which"),
    ("a file that is no run",                   "is no run"),
    ("they are no numbers",                     "are no numbers"),
    ("some 840 pixels",                         "some 840"),
    ("Some five times, it stops.",              "Some five"),
    ("figures of a training",                   "figures"),
    ("a loop reads the very data",              "the very data"),
    ("Who changes this also tests it.",         "Who changes"),
)
# fmt: on
CLEAN = """There is no file, and there are no rows. It is no longer needed and is no faster than before.
Two layers, each of which is frozen, have 20 params, of which 5 are biases. Write a figure as a PNG file.
Some layers have two inputs. The very first step is the slowest. Return None if it is empty. Who is asked?
The file after it, instead of this one, is not a run. The forecast lags behind the truth.
"""


@pytest.mark.parametrize(("text", "words"), FOUND)
def test_a_turn_is_found_in_a_sentence(text: str, words: str) -> None:
    assert [hit.text for hit in find(text)] == [words]


def test_every_pattern_has_a_sentence() -> None:
    assert {hit.pattern for text, _ in FOUND for hit in find(text)} == set(PATTERNS)


def test_a_clean_text_has_none() -> None:
    assert list(find(CLEAN)) == []


def test_a_turn_is_found_across_lines_but_not_in_code(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        '"""A clean docstring."""\n\nbehind = there.is_no.figures  # a mean in\n# the place of a sum\n'
        'told = ("a sum is "\n    "no number", f"{behind} it is no {told}")\n',
        encoding="utf-8",
    )
    assert [(hit.line, hit.text) for hit in hits(path)] == [(3, "in the place of"), (5, "is no number")]


def test_the_command_names_the_place_and_the_mend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A page\n\nThe layer behind it.\n", encoding="utf-8")
    assert main([str(page)]) == 1
    assert capsys.readouterr().out == f'{page}:3: "behind": write after\n'
    page.write_text(CLEAN, encoding="utf-8")
    assert main([str(page)]) == 0


def test_files_with_prose_are_read_and_generated_ones_are_not() -> None:
    names = {Path(name).name for name in files()}
    assert {"README.md", "xor.yaml", "api.py", "check", "test_everywhere", "internals.md"} <= names
    assert not {"CHANGELOG.md", "index.uk.md", "coefficients.py", "prose.py"} & names
