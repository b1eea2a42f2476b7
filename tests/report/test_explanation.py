"""The formulas of `explanation.json` on the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from nnjit.errors import RunError
from nnjit.report import write_report
from nnjit.runs import file_names
from tests.report.run_folders import write_run

XHTML = "{http://www.w3.org/1999/xhtml}"
EVIL = '<script>alert("1")</script>'
W = ["var", "W"], ["sup", "(2)"]
DELTA = ["var", "δ"], ["sup", "(1)"]


def line(**more: Any) -> dict[str, Any]:
    right = [["var", "δ"], ["sup", "(2)"], ["", " "], *W, ["sup", "T"]]
    return {"left": list(DELTA), "right": right, "shape": "n × 16", "note": "", **more}


def explanation(*lines: dict[str, Any]) -> dict[str, Any]:
    kernel = {"name": "rows_1", "zone": "over the rows", "product": "", "parts": ["hidden", "loss"]}
    product = {"name": "gemm", "zone": "over the rows", "product": "n × 16 × 13", "parts": ["hidden"]}
    kernels = [product | {"operations": 1}, kernel | {"operations": 7}]
    return {
        "layers": [],
        "sections": [{"title": "Backward", "lines": list(lines)}],
        "update": {"equations": ["θ ← θ - lr g"], "note": "", "settings": [["learning_rate", "0.5"]]},
        "graph": "x: f32[B,13]\nreturn x",
        "kernels": kernels,
    }


def report(folder: Path, content: dict[str, Any]) -> ElementTree.Element:
    write_run(folder)
    (folder / file_names.EXPLANATION).write_text(json.dumps(content), encoding="utf-8")
    write_report(folder)
    return tree(folder)


def tree(folder: Path) -> ElementTree.Element:
    text = (folder / file_names.REPORT).read_text(encoding="utf-8")
    return ElementTree.fromstring(text.replace("<!DOCTYPE html>", "", 1))


def words(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def lines_of(root: ElementTree.Element) -> list[ElementTree.Element]:
    (table,) = (t for t in root.iter("table") if t.get("class") == "lines")
    return list(table.iter("tr"))


def test_a_formula_is_letters_and_what_stands_above_them(tmp_path: Path) -> None:
    (row,) = lines_of(report(tmp_path / "run", explanation(line(note="as always"))))
    left, right, shape = row
    assert ElementTree.tostring(left, encoding="unicode").strip() == (
        '<td class="left"><var>δ</var><sup>(1)</sup></td>'
    )
    assert [(e.tag, e.text) for e in right.iter() if e.tag in ("var", "sup")] == [
        ("var", "δ"), ("sup", "(2)"), ("var", "W"), ("sup", "(2)"), ("sup", "T"),
    ]  # fmt: skip
    assert words(right) == "= δ(2) W(2)T (as always)"
    assert words(shape) == "n × 16"


def test_what_is_said_in_words_may_go_on_below(tmp_path: Path) -> None:
    rows = lines_of(
        report(tmp_path / "run", explanation(line(), line(right=[["", "a product of elements"]])))
    )
    assert [row[1].get("class") for row in rows] == ["right", "right words"]


def test_update_kernels_and_graph_are_there(tmp_path: Path) -> None:
    text = words(report(tmp_path / "run", explanation(line())))
    for phrase in ("θ ← θ - lr g", "learning_rate 0.5", "n × 16 × 13", "7 operations", "hidden, loss"):
        assert phrase in text
    assert "x: f32[B,13] return x" in text


def test_mathematics_is_folded(tmp_path: Path) -> None:
    root = report(tmp_path / "run", explanation(line(), line()))
    folded = [d for d in root.iter("details") if words(d).startswith(("Backward", "Update"))]
    assert [section.get("open") for section in folded] == [None, None]
    assert len(lines_of(root)) == 2


def test_a_file_cannot_bring_its_own_elements(tmp_path: Path) -> None:
    hostile = line(left=[["", EVIL], ["var", EVIL]], note=EVIL, shape=EVIL)
    content = explanation(hostile)
    content["graph"] = content["sections"][0]["title"] = EVIL
    root = report(tmp_path / "run", content)
    assert not list(root.iter("script"))
    assert words(lines_of(root)[0][0]) == EVIL + EVIL
    with pytest.raises(RunError, match=r'left\[0\]\[0\]: expected one of nothing, var, .* got "script"'):
        report(tmp_path / "other", explanation(line(left=[["script", EVIL]])))


def test_a_run_without_the_file_has_no_such_part(tmp_path: Path) -> None:
    write_report(write_run(tmp_path / "run"))
    assert "What it computes" not in words(tree(tmp_path / "run"))


def test_a_file_that_lacks_an_entry_is_named(tmp_path: Path) -> None:
    content = explanation()
    del content["update"]
    with pytest.raises(RunError, match=r'explanation\.json: the entry "update" is missing'):
        report(tmp_path / "run", content)
