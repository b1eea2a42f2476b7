"""Turn a file, a mapping or an `Experiment`, with overrides, into a checked `Experiment`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from nnjit.config.document import Data, Document, quoted
from nnjit.config.overrides import override, with_option
from nnjit.config.problems import as_config_error
from nnjit.config.reading import read_file
from nnjit.config.shorthand import expand_shorthand
from nnjit.errors import ConfigError, ConfigPath, UserError
from nnjit.experiment import Experiment
from nnjit.experiment.experiment import InitialWeights
from nnjit.experiment.outputs import blaming_losses
from nnjit.nn.model.wiring import wire

Given = Experiment | Document | str | Path | Mapping[str, Any]


@dataclass(frozen=True)
class Config:
    """A checked experiment, and the document that knows where each of its options was given."""

    experiment: Experiment
    document: Document

    def with_data(self, data: Any) -> Config:
        """The config with data from Python instead of the source's own.

        Raises:
            DataError: the source takes no data.
        """
        with self.located():
            try:
                source = self.experiment.data.with_data(data)
            except UserError as error:
                raise error.within("data") from None
        return replace(self, experiment=self.experiment.model_copy(update={"data": source}))

    def locate(self, error: UserError) -> UserError:
        """The error, prefixed with `file:line: option:` if it is about an option."""
        return type(error)(self.document.message_at(error.path, error.message)) if error.path else error

    @contextmanager
    def located(self) -> Iterator[None]:
        """Prefix each `UserError` raised inside with its location in the config."""
        try:
            yield
        except UserError as error:
            raise self.locate(error) from error.__cause__


def read(given: Given, overrides: Iterable[str] = ()) -> Config:
    """Read a file, a mapping of options, or an experiment, apply the overrides, and check the result.

    Args:
        given: the path of a YAML file, the content of one, or a document with locations.
        overrides: settings such as `"training.epochs=5"`, which take precedence.

    Raises:
        ConfigError: with a line for each problem: file, line and the nearest valid name.
    """
    try:
        document = expand_shorthand(override(_document(given), overrides))
        _check_text(document)
    except RecursionError:
        raise ConfigError("not a usable config: nested too deeply, or inside itself") from None
    return _checked(document)


def varied(given: Config, options: Mapping[str, Data], locations: Mapping[str, str]) -> Config:
    """The config with new values for some options; outer options are set before the ones inside them.

    Args:
        options: their values by path as text, such as `model[2].units`.
        locations: where each was given, a prefix of messages about it.

    Raises:
        ConfigError: a path leads nowhere, or a value does not fit.
    """
    document = given.document
    for option in sorted(options, key=len):
        document = with_option(document, option, options[option], locations[option])
    varied = _checked(expand_shorthand(document))
    source = given.experiment.data  # which may hold data that Python gave
    if document.value(("data",)) == given.document.value(("data",)):
        varied = replace(varied, experiment=varied.experiment.model_copy(update={"data": source}))
    return varied


def _checked(document: Document) -> Config:
    try:
        config = Config(Experiment.model_validate(document.data, by_name=False), document)
    except ValidationError as error:
        raise as_config_error(error, document) from None
    except UserError as error:  # from a validator that looked something up; pydantic passes it through
        raise ConfigError(document.message_at((), error.message)) from None
    _check_kinds(document)
    with config.located():
        _wire(config.experiment)
    return config


def _check_text(document: Document) -> None:
    """Raise a ConfigError for a text with a lone surrogate, which can be neither shown nor written."""
    for path, value in _leaves(document.data, ()):
        try:
            _ = isinstance(value, str) and value.encode()
        except UnicodeEncodeError:
            message = f"{value!a} holds half a character (a lone surrogate); remove it"
            raise ConfigError(document.message_at(path, message)) from None


def _check_kinds(document: Document) -> None:
    """Raise a ConfigError for a value that no config file can hold."""
    for path, value in _leaves(document.data, ()):
        if not isinstance(value, str | int | float | None):
            message = f"expected a number, a text, true, false or null, got {quoted(value)}"
            raise ConfigError(document.message_at(path, message))


def _leaves(data: Data, path: ConfigPath) -> Iterator[tuple[ConfigPath, object]]:
    """Each key and each scalar value, with its path."""
    match data:
        case dict():
            for key, value in data.items():
                yield path, key
                yield from _leaves(value, (*path, key))
        case tuple():
            for k, value in enumerate(data):
                yield from _leaves(value, (*path, k))
        case _:
            yield path, data


def _wire(experiment: Experiment) -> None:
    with blaming_losses(experiment.model.layers, tuple(experiment.losses or ())):
        wire(experiment.layers, None if experiment.data.is_table else ())


def starting_from(given: Config, path: str, location: str) -> Config:
    """The config with initial weights from a run or a file, as far as their names and shapes match.

    Args:
        location: where this was requested, a prefix of messages about it.

    Raises:
        ConfigError: the config has initial weights.
    """
    model = given.experiment.model
    if model.initial_weights is not None:
        raise ConfigError(f"{location}: the config has model.initial_weights itself; omit one of them")
    model = model.model_copy(update={"initial_weights": InitialWeights(file=path, match="names")})
    document = given.document.with_value(("model", "initial_weights"), given.document.data, location)
    return Config(given.experiment.model_copy(update={"model": model}), document)


def resolve(given: Given, overrides: Iterable[str] = ()) -> Experiment:
    """The experiment of `read`, without the locations of its options.

    >>> chain = {"data": {"type": "inline", "x": [[0.0], [1.0]], "y": [[1.0], [0.0]]},
    ...          "model": [{"type": "dense", "units": 1}], "loss": "squared_error"}
    >>> resolve(chain, ["training.epochs=5"]).training.epochs
    5
    """
    return read(given, overrides).experiment


def load(path: str | Path, overrides: Iterable[str] = ()) -> Experiment:
    """The experiment in a YAML file."""
    return resolve(Path(path), overrides)


def _document(given: Given) -> Document:
    if isinstance(given, Document):
        return given
    if isinstance(given, Experiment):
        given = given.model_dump(by_alias=True)
    if isinstance(given, Mapping):
        return Document(_mapping(given), {}, "")
    return read_file(Path(given))


def _mapping(given: Mapping[str, Any]) -> dict[str, Data]:
    return {str(key): _plain(value) for key, value in given.items()}


def _plain(value: Any) -> Data:
    """Mappings and options as dicts, lists as tuples, as the strict option classes expect; others unchanged.

    NumPy floats and string enums become the types they inherit from, which YAML can write.
    """
    match value:
        case BaseModel():
            return _mapping(value.model_dump(by_alias=True))
        case Mapping():
            return _mapping(value)
        case list() | tuple():
            return tuple(_plain(item) for item in value)
        case float():
            return float(value)
        case str():
            return str.__str__(value)
        case _:
            other: Data = value
            return other
