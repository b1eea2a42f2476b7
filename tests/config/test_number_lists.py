"""A list of numbers is one token of the scanner, and reads the same as number by number."""

# ruff: noqa: E501  a table of texts

from __future__ import annotations

import random

import pytest
from ruamel.yaml.error import ReusedAnchorWarning
from ruamel.yaml.scanner import Scanner

from nnjit.config import reading
from nnjit.config.number_lists import NumberListScanner
from nnjit.errors import ConfigError

# fmt: off
TEXTS = (
    "a: [1, 2]", "a: [ 1 ,-2.5e-3 ]", "a: [1,2,]", "a: []", "a: [[1, 2], [3]]", '{"a":[1]}', "[1]", "- - [1]\n  - [2]",
    "a: [1, -2.5e-3, 1e5, 00, -0, 08, 1., .5, +1, 1E3, 1e999]", f"a: [{'9' * 300}]", f"a: [{'9' * 301}]",
    "a: [0x1, 0o7, 1_0, 1:30, .inf, 2024-01-31, -, ~]", "a: [1\n, 2]", "a:\n  [1,\n  [2, 3]]", "a: [1]\r\nb: [2]",
    "[1, 2]: x", "? [1, 2]\n: x", "? [1] # c\n: x", "{[1]: 2}", "[[1]: 2]", "[[1]:2]", "[? [1] : 2]", "&y [1]: 3",
    "a: &x [1]\nb: *x", "a: &x\n  [1]", "a: !!seq [1]", "a: !t [1]", "a: !!float [1]",
    "a: '[1]'", 'a: "[1]\n  [2]"', "a: |\n  [1]\nb: [2]", "a: [1] # [2]", "a: x[1]",
    "[1] x", "a: [1]]", "a: [1][2]", "a: 1\n[1]\nb: 3", "a: [1] b: 2", "a: - [1]", "a:\n[1]", "[1]\n---\n[2]",
)
PARTS = (
    "[1]", "[1, 2.5]", "[ -3e-2 ]", "[", "]", "{", "}", ",", ": ", ":", "\n", "\n  ", "a", "a: ", "- ", "? ", "1", "-",
    "&x ", "*x", "!t ", "#", "'", '"',
)
# fmt: on


def read(text: str) -> str:
    try:
        return repr(reading.parse(text, str))
    except ConfigError as error:
        return str(error)


@pytest.mark.filterwarnings(f"ignore::{ReusedAnchorWarning.__module__}.ReusedAnchorWarning")
def test_a_list_of_numbers_reads_as_number_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(0)
    texts = [*TEXTS, *("".join(rng.choices(PARTS, k=rng.randint(1, 9))) for _ in range(500))]
    fast = list(map(read, texts))
    monkeypatch.setattr(reading, "NumberListScanner", Scanner)
    assert fast == list(map(read, texts))


def test_a_list_of_numbers_is_one_token(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    fetch = NumberListScanner.fetch_more_tokens
    monkeypatch.setattr(
        NumberListScanner, "fetch_more_tokens", lambda scanner: calls.append(1) or fetch(scanner)
    )
    data, _ = reading.parse(f"a: [{', '.join(map(str, range(1000)))}]", str)
    assert data == {"a": tuple(range(1000))}
    assert len(calls) < 10
