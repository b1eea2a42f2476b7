"""From a file, a mapping or an `Experiment`, and overrides, to a checked `Experiment`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from nnjit.config.document import Data, Document
from nnjit.config.overrides import override
from nnjit.config.problems import translated
from nnjit.config.reading import read_file
from nnjit.config.shorthand import spelled_out
from nnjit.errors import ConfigError, UserError
from nnjit.experiment import Experiment
from nnjit.experiment.outputs import blaming_losses
from nnjit.nn.model.wiring import wire

Given = Experiment | str | FilePath | Mapping[str, Any]


@dataclass(frozen=True)
class Config:
    """A checked experiment, and the knowledge of where each of its options was given."""

    experiment: Experiment
    document: Document

    def locate(self, error: UserError) -> UserError:
        """The error with `file:line: option:` before its message, where it speaks of an option."""
        return type(error)(self.document.sentence(error.path, error.message)) if error.path else error

    @contextmanager
    def located(self) -> Iterator[None]:
        """Raise each `UserError` from inside with its place in the config before its message."""
        try:
            yield
        except UserError as error:
            raise self.locate(error) from error.__cause__


def read(given: Given, overrides: Iterable[str] = ()) -> Config:
    """The config from a file, a mapping of options, or an experiment, after the overrides.

    Args:
        given: the path of a YAML file, or what such a file would hold.
        overrides: settings such as `"training.epochs=5"`; they beat what is given.

    Raises:
        ConfigError: the message has a line for each problem, with file, line and nearest valid name.
    """
    document = spelled_out(override(_document(given), overrides))
    try:
        config = Config(Experiment.model_validate(document.data, by_name=False), document)
    except ValidationError as error:
        raise translated(error, document) from None
    except UserError as error:  # a validator that looked something up; pydantic lets it pass as it is
        raise ConfigError(document.sentence((), error.message)) from None
    with config.located():
        _wire(config.experiment)
    return config


def _wire(experiment: Experiment) -> None:
    with blaming_losses(experiment.model.layers, tuple(experiment.losses or ())):
        wire(experiment.layers)


def resolve(given: Given, overrides: Iterable[str] = ()) -> Experiment:
    """The experiment of `read`, for whoever needs no places.

    >>> chain = {"data": {"type": "inline", "x": [[0.0], [1.0]], "y": [[1.0], [0.0]]},
    ...          "model": [{"type": "dense", "units": 1}], "loss": "squared_error"}
    >>> resolve(chain, ["training.epochs=5"]).training.epochs
    5
    """
    return read(given, overrides).experiment


def load(path: str | FilePath, overrides: Iterable[str] = ()) -> Experiment:
    """The experiment in a YAML file."""
    return resolve(FilePath(path), overrides)


def _document(given: Given) -> Document:
    if isinstance(given, Experiment):
        given = given.model_dump(by_alias=True)
    if isinstance(given, Mapping):
        return Document(_mapping(given), {}, "")
    return read_file(FilePath(given))


def _mapping(given: Mapping[str, Any]) -> dict[str, Data]:
    return {str(key): _plain(value) for key, value in given.items()}


def _plain(value: Any) -> Data:
    """Python's containers as the strict option classes want them; everything else as it is."""
    if isinstance(value, Mapping):
        return _mapping(value)
    return tuple(_plain(item) for item in value) if isinstance(value, list | tuple) else value
