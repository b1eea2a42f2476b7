"""Write an `Experiment` as YAML that reads back as the same experiment."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from nnjit.errors import ConfigPath
from nnjit.experiment.experiment import Experiment, ModelOptions
from nnjit.nn import Layer, Repeat

_WIDTH = 110
_LONGEST = 100  # characters of a mapping on one line
_ENDLESS = 10**6


def dump(experiment: Experiment, *, escaped: bool = False) -> str:
    """The fully resolved config as YAML: every option with its value, except those that are off (null).

    Args:
        escaped: whether to write characters beyond ASCII as escapes.
    """
    layout = CommentedMap((key, _laid_out(value)) for key, value in _options(experiment))
    return _text(layout, escaped=escaped, width=_WIDTH)


def dump_lines(options: Mapping[str, Any], blocks: Collection[ConfigPath], *, escaped: bool = False) -> str:
    """Plain options as YAML, each on one line, however long; in blocks, each entry has a line.

    Args:
        blocks: the paths of mappings and lists.
        escaped: whether to write characters beyond ASCII as escapes.
    """
    return _text(_in_blocks(options, (), blocks), escaped=escaped, width=_ENDLESS)


def _text(layout: CommentedMap, *, escaped: bool, width: int) -> str:
    writer = YAML()
    writer.width = width
    writer.allow_unicode = not escaped
    writer.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    writer.dump(layout, text)
    return text.getvalue()


def _in_blocks(value: Any, path: ConfigPath, blocks: Collection[ConfigPath]) -> Any:
    match value:
        case dict() if not path or path in blocks:
            return CommentedMap((_flow(k), _in_blocks(v, (*path, k), blocks)) for k, v in value.items())
        case tuple() if path in blocks:
            return CommentedSeq(_in_blocks(entry, (*path, k), blocks) for k, entry in enumerate(value))
    return _flow(value)


def _laid_out(value: Any) -> Any:
    """An option of the experiment on one line; if too long, or a model, with one line per part."""
    if isinstance(value, ModelOptions):
        layers = _listed(value.layers)
        weights = value.initial_weights
        return layers if weights is None else CommentedMap(initial_weights=_flow(weights), layers=layers)
    line = _flow(value)
    return _block(value) if isinstance(line, CommentedMap) and len(repr(line)) > _LONGEST else line


def _listed(entries: Iterable[Layer | Repeat]) -> CommentedSeq:
    """One line per layer; those in a repeat are indented."""
    return CommentedSeq(
        CommentedMap((k, _listed(v) if k == "layers" else _flow(v)) for k, v in _options(entry))
        if isinstance(entry, Repeat)
        else _flow(entry)
        for entry in entries
    )


def _block(options: BaseModel | dict[str, Any]) -> CommentedMap:
    entries = options.items() if isinstance(options, dict) else _options(options)
    return CommentedMap((key, _flow(value)) for key, value in entries)


def _flow(value: Any) -> Any:
    """The value on one line: `{type: dense, units: 64}`; a type without options is just its name."""
    match value:
        case BaseModel():
            options = _block(value)
            return options["type"] if set(options) == {"type"} else _on_one_line(options)
        case dict():
            return _on_one_line(CommentedMap((key, _flow(inner)) for key, inner in value.items()))
        case tuple():
            return _on_one_line(CommentedSeq(_flow(inner) for inner in value))
        case str() if not value.isprintable():
            return DoubleQuotedScalarString(value)  # the only style in which no character is lost
    return value


def _on_one_line(container: CommentedMap | CommentedSeq) -> CommentedMap | CommentedSeq:
    container.fa.set_flow_style()
    return container


def _options(options: BaseModel) -> Iterator[tuple[str, Any]]:
    """The options by their names in a config, `type` first, without those that are null by default."""
    fields = type(options).model_fields
    for name in sorted(fields, key=lambda name: name != "type"):
        value = getattr(options, name)
        if value is not None or fields[name].default is not None:
            yield fields[name].alias or name, value
