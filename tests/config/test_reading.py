"""YAML 1.2 text becomes plain data, with the line of each value."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from nnjit.config.reading import parse, read_file, read_text
from nnjit.errors import ConfigError

# fmt: off
SCALARS = [
    ("1e-3", 1e-3), ("+1E3", 1000.0), (".5", 0.5), ("5.", 5.0), ("-0.0", -0.0), ("1.5", 1.5),
    ("7", 7), ("-7", -7), ("+7", 7), ("007", 7), ("0o17", 15), ("0x1F", 31), ("9" * 100, int("9" * 100)),
    ("true", True), ("False", False), ("~", None), ("null", None), ("", None),
    (".inf", math.inf), ("-.INF", -math.inf),
    ("no", "no"), ("on", "on"), ("yes", "yes"), ("12:30:45", "12:30:45"), ("2024-01-31", "2024-01-31"),
    ("1_000", "1_000"), ("1e", "1e"), ("0b1", "0b1"), ('"1"', "1"), ("'true'", "true"), ("!!str 1", "1"),
    ("=", "="), ("<<", "<<"), ("inf", "inf"), ("nan", "nan"), ("tRue", "tRue"),
]
# fmt: on


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_a_scalar_means_what_the_core_schema_says(text: str, value: object) -> None:
    data, _ = parse(f"key: {text}", str)
    assert isinstance(data, dict)
    assert data["key"] == value
    assert type(data["key"]) is type(value)


def test_not_a_number_is_one() -> None:
    data, _ = parse(".nan", str)
    assert isinstance(data, float)
    assert math.isnan(data)


def test_each_value_knows_the_line_of_its_key() -> None:
    document = read_text("a: 1\nb:\n  - {c: 2}\n  - d:\n      3\n", "f.yaml")
    assert document.data == {"a": 1, "b": ({"c": 2}, {"d": 3})}
    lines = {("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 0, "c"): 3, ("b", 1): 4, ("b", 1, "d"): 4}
    assert {path: document.location(path) for path in lines} == {
        p: f"f.yaml:{line}" for p, line in lines.items()
    }


def test_what_stands_nowhere_has_the_place_of_what_is_around_it() -> None:
    document = read_text("a:\n  b: 1", "f.yaml")
    assert document.location(("a", "c", 2)) == "f.yaml:1"
    assert document.location(("d",)) == "f.yaml"


def test_an_anchor_stands_for_its_value_each_time() -> None:
    data, _ = parse("a: &x {b: 1}\nc: [*x, *x]", str)
    assert data == {"a": {"b": 1}, "c": ({"b": 1}, {"b": 1})}


def test_aliases_of_aliases_end_in_a_message() -> None:
    levels = "\n".join(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 12))
    with pytest.raises(ConfigError, match="more than 100,000 values"):
        read_text(f"a0: &a0 [1]\n{levels}", "f.yaml")


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfname: x")
    assert read_file(tmp_path / "a.yaml").data == {"name": "x"}


# fmt: off
SYNTAX = [  # text; line, problem and context
    ("a: [1\nb: 2",   2, "expected ',' or ']', but got ':'",
        "while parsing a flow sequence that begins in line 1"),
    ("a: {b: 1",      1, "expected ',' or '}', but got the end",
        "while parsing a flow mapping that begins in line 1"),
    ("a: b: c",       1, "mapping values are not allowed here", ""),
    ("a: 1\n\tb: 1",  2, "found character '\\t' that cannot start any token",
        "while scanning for the next token"),
    ("a:\n 'x",       2, "found unexpected end of stream",
        "while scanning a quoted scalar that begins in line 2"),
    ("a: 1\n---\nb:", 2, "but found another document",
        "expected a single document in the stream that begins in line 1"),
    ("\na: *x",       2, "found undefined alias 'x'", ""),
    ("a: 1\nb: \x01", 2, "the character U+0001 is not allowed", ""),
]
UNUSABLE = [
    ("a: 1\nb: 2\na: 3",      'f.yaml:3: "a" is given twice; first at f.yaml:1'),
    ("a: {b: 1,\n b: 1}",     'f.yaml:2: "b" is given twice; first at f.yaml:1'),
    ("? [a]\n: 1",            "f.yaml:1: expected a name before the colon, got a list or mapping"),
    ("a: !!python/name:os 1", 'f.yaml:1: the tag "!!python/name:os" has no meaning here; remove it'),
    ("a: !x 1",               'f.yaml:1: the tag "!x" has no meaning here; remove it'),
    ("a: &a [*a]",            "f.yaml:1: not a usable config: nested too deeply, or inside itself"),
    ("[" * 500,               "f.yaml:1: not a usable config: nested too deeply, or inside itself"),
    ("",                      'f.yaml: expected options such as "data", "model" and "loss", got nothing'),
    ("# nothing",             'f.yaml: expected options such as "data", "model" and "loss", got nothing'),
    ("- a",                   'f.yaml: expected options such as "data", "model" and "loss", got a list of 1'),
    ("digits",                'f.yaml: expected options such as "data", "model" and "loss", got "digits"'),
]
# fmt: on
BROKEN = [
    (text, f"f.yaml:{line}: not valid YAML: {problem}{context and f' ({context})'}")
    for text, line, problem, context in SYNTAX
]


@pytest.mark.parametrize(("text", "message"), BROKEN + UNUSABLE)
def test_text_that_is_no_config_is_one_message_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(text, "f.yaml")
    assert str(caught.value) == message


def test_a_file_that_cannot_be_read_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("binary.yaml").write_bytes(b"a: \xff")
    messages = {
        "none.yaml": "none.yaml: cannot read this config: No such file or directory",
        ".": ".: cannot read this config: Is a directory",
        "binary.yaml": "binary.yaml: not UTF-8 text: byte 3 cannot be decoded",
    }
    for name, message in messages.items():
        with pytest.raises(ConfigError) as caught:
            read_file(Path(name))
        assert str(caught.value) == message
