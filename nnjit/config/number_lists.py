"""Scan a list of numbers on one line as one token, several times faster than one per number.

Inline data consists of such lists: `[0.5, 1, -2e3]`. Any other list is scanned as usual.
"""

from __future__ import annotations

import re

from ruamel.yaml.nodes import Node
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tokens import ScalarToken

STYLE = "["  # of the scalar that holds such a list
_NUMBER = r"-?[0-9]{1,300}(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?"
_LIST = re.compile(rf"\[ *{_NUMBER}(?: *, *{_NUMBER})* *\](?!\s*:)")  # before a colon, it is a key


class _NumberList(ScalarToken):
    """A token that messages show as its opening bracket."""

    __slots__ = ()
    id = "["


class NumberListScanner(Scanner):
    """A YAML scanner that reads a list of numbers as one scalar."""

    def fetch_flow_sequence_start(self) -> None:
        reader = self.reader
        match = _LIST.match(reader.buffer, reader.pointer)
        if match is None:
            super().fetch_flow_sequence_start()
            return
        self.save_possible_simple_key()
        self.allow_simple_key = False
        start = reader.get_mark()
        reader.forward(len(match[0]))
        self.tokens.append(_NumberList(match[0], False, start, reader.get_mark(), STYLE))


def numbers_of(node: Node) -> tuple[int | float, ...]:
    """The numbers of a list that was read as one scalar."""
    return tuple(map(_number, node.value[1:-1].split(",")))


def _number(text: str) -> int | float:
    text = text.strip()
    return int(text) if text.removeprefix("-").isdecimal() else float(text)
