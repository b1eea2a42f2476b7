"""Read YAML 1.2 text into a `Document`.

Scalars are resolved here, by the core schema of YAML 1.2: `1e-3` is a number; `no`, `12:30:45` and
`2024-01-31` are text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from nnjit.config.document import Data, Document, public_path, quoted
from nnjit.config.number_lists import STYLE, NumberListScanner, numbers_of
from nnjit.errors import ConfigError, ConfigPath

_CORE_TAG = "tag:yaml.org,2002:"
# The tags that ruamel gives to what may not be text; the core schema below decides.
_IMPLICIT = ("null", "bool", "int", "float", "timestamp", "merge", "value")
_RESOLVED = frozenset(_CORE_TAG + kind for kind in _IMPLICIT)


def _infinite(text: str) -> float:
    return -math.inf if text.startswith("-") else math.inf


# fmt: off
_CORE_SCHEMA: tuple[tuple[re.Pattern[str], Callable[[str], Data]], ...] = (
    (re.compile(r"|~|null|Null|NULL"),                                    lambda text: None),
    (re.compile(r"true|True|TRUE"),                                       lambda text: True),
    (re.compile(r"false|False|FALSE"),                                    lambda text: False),
    (re.compile(r"[-+]?[0-9]{1,300}"),                                    int),
    (re.compile(r"0o[0-7]{1,300}"),                                       lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]{1,300}"),                                 lambda text: int(text[2:], 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"),  float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"),                                 _infinite),
    (re.compile(r"\.(nan|NaN|NAN)"),                                      lambda text: math.nan),
)
# fmt: on
_MOST_VALUES = 100_000  # aliases of aliases can make a small file arbitrarily large
_MOST_CHARACTERS = 2_000_000
_DEEPEST = 500


def read_file(path: Path) -> Document:
    """The options in a config file.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or is not a mapping.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot read this config: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text: byte {error.start} cannot be decoded") from None
    return read_text(text, str(path))


def read_text(text: str, name: str) -> Document:
    """The options in the text of a config; messages show `name` before the line number."""
    data, locations = parse(text, lambda line: f"{name}:{line}")
    if not isinstance(data, dict):
        raise ConfigError(f'{name}: expected options such as "data", "model" and "loss", got {quoted(data)}')
    return Document(data, {public_path(path): location for path, location in locations.items()}, name)


def parse(text: str, location: Callable[[int], str]) -> tuple[Data, dict[ConfigPath, str]]:
    """The value of a YAML text, and the location of each part, which `location` makes from a line."""
    separators = text.count("\n") + text.count(",")
    if separators > _MOST_VALUES or len(text) > _MOST_CHARACTERS:  # which would take minutes to read
        size = f"{len(text):,} characters and {separators:,} lines and commas"
        limit = f"at most {_MOST_CHARACTERS:,} and {_MOST_VALUES:,}"
        raise ConfigError(f"{location(1)}: {size} are too many for a config, {limit}; move data to a file")
    try:
        if _depth(text) > _DEEPEST:
            raise RecursionError
        yaml = YAML(typ="safe", pure=True)
        yaml.Scanner = NumberListScanner
        root = yaml.compose(text)
        reader = _Reader(location)
        return (None if root is None else reader.value(root, ()), reader.locations)
    except RecursionError:
        raise ConfigError(
            f"{location(1)}: not a usable config: nested too deeply, or inside itself"
        ) from None
    except YAMLError as error:
        line, problem = _explained(error, text)
        raise ConfigError(f"{location(line)}: not valid YAML: {problem}") from None


def _depth(text: str) -> int:
    """How deep brackets are nested; ruamel's time is quadratic in it."""
    steps = (1 if bracket in "[{" else -1 for bracket in re.findall(r"[][{}]", text))
    return max(accumulate(steps), default=0)


class _Reader:
    """Convert YAML nodes to data, and record the location of each."""

    def __init__(self, location: Callable[[int], str]) -> None:
        self.location = location
        self.locations: dict[ConfigPath, str] = {}

    def value(self, node: Node, path: ConfigPath) -> Data:
        self.locations.setdefault(path, self.at(node))
        if len(self.locations) > _MOST_VALUES:
            raise ConfigError(f"{self.at(node)}: more than {_MOST_VALUES:,} values; move data to a file")
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return tuple(self.value(item, (*path, k)) for k, item in enumerate(node.value))
        return self.numbers(node, path) if _is_numbers(node) else self.scalar(node)

    def numbers(self, node: Node, path: ConfigPath) -> Data:
        values, where = numbers_of(node), self.location(_line(node.end_mark))  # the tag may be lines before
        self.locations.update(((*path, k), where) for k in range(len(values)))
        return values

    def mapping(self, node: MappingNode, path: ConfigPath) -> Data:
        options: dict[str, Data] = {}
        for key, item in node.value:
            if not isinstance(key, ScalarNode) or _is_numbers(key):
                raise ConfigError(f"{self.at(key)}: expected a name before the colon, got a list or mapping")
            if key.value in options:
                first = self.locations[(*path, key.value)]
                raise ConfigError(f'{self.at(key)}: "{key.value}" is given twice; first at {first}')
            self.locations[(*path, key.value)] = self.at(key)
            options[key.value] = self.value(item, (*path, key.value))
        return options

    def scalar(self, node: Node) -> Data:
        text = _joined(str(node.value))
        if node.tag == _CORE_TAG + "str":
            return text
        if node.tag not in _RESOLVED:
            tag = str(node.tag).replace(_CORE_TAG, "!!")
            raise ConfigError(f'{self.at(node)}: the tag "{tag}" has no meaning here; remove it')
        return next((make(text) for pattern, make in _CORE_SCHEMA if pattern.fullmatch(text)), text)

    def at(self, node: Node) -> str:
        return self.location(_line(node.start_mark))


def _is_numbers(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.style == STYLE


def _joined(text: str) -> str:
    """The text with each pair of escaped surrogates joined to one character, as JSON writes an emoji."""
    return (
        text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    )


def _line(mark: object) -> int:
    return int(getattr(mark, "line", 0)) + 1


def _explained(error: YAMLError, text: str) -> tuple[int, str]:
    """The line of a syntax error, and its description."""
    if isinstance(error, ReaderError):
        code = ord(text[error.position])
        return text.count("\n", 0, error.position) + 1, f"the character U+{code:04X} is not allowed"
    if not isinstance(error, MarkedYAMLError):
        return 1, str(error)
    line, problem = _line(error.problem_mark), str(error.problem or error.context)
    if error.problem and error.context:
        where = f" that begins in line {_line(error.context_mark)}" if error.context_mark else ""
        problem = f"{problem} ({error.context}{where})"
    return line, problem.replace("'<stream end>'", "the end")
