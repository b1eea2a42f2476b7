"""Every mistake in a config gives one message: where, what was given, what is allowed, the mend."""

# ruff: noqa: E501  a row is one mistake and its whole message

from __future__ import annotations

from pathlib import Path

import pytest

from nnjit import config
from nnjit.errors import ConfigError, GraphError
from nnjit.nn import layers, losses

LAYERS = ", ".join([*layers, "repeat"])
CONFIG = """\
name: digits
seed: 0
data: {type: sklearn, dataset: digits, split: {validation: 0.15, test: 0.15}, scale: standard}
model:
  - {type: dense, units: 64, activation: relu}
  - {type: dropout, rate: 0.1}
  - type: dense
    units: 10
    weight_initializer: {type: uniform, low: -0.1, high: 0.1}
loss: softmax_cross_entropy
optimizer: {type: adam, learning_rate: 1e-3}
schedule: {type: cosine, warmup: 2}
metrics: [accuracy, {type: top_k, k: 3}]
training:
  epochs: 40
  batch_size: 32
  early_stopping: {patience: 10}
"""

# fmt: off
# Text in CONFIG, its replacement, and the message after "a.yaml".
BAD_CONFIGS = [
    # unknown options, at every depth
    ("name: digits",         "nam: digits",            ':1: unknown option "nam"; did you mean "name"?'),
    ("seed: 0",              "sead: 0",                ':2: unknown option "sead"; did you mean "seed"?'),
    ("scale: standard",      "scaling: standard",      ':3: data: unknown option "scaling"; did you mean "scale"?'),
    ("validation: 0.15",     "valid: 0.15",            ':3: data.split: unknown option "valid"; did you mean "validation"?'),
    ("activation: relu",     "actvation: relu",        ':5: model[0]: unknown option "actvation"; did you mean "activation"?'),
    ("rate: 0.1",            "rate: 0.1, units: 3",    ':6: model[1]: unknown option "units"; valid: from, name, rate, type'),
    ("rate: 0.1",            "rate: 0.1, from_: x",    ':6: model[1]: unknown option "from_"; did you mean "from"?'),
    ("    units: 10",        "    unit: 10",           ':8: model[2]: unknown option "unit"; did you mean "units"?'),
    ("low: -0.1",            "lower: -0.1",            ':9: model[2].weight_initializer: unknown option "lower"; did you mean "low"?'),
    ("learning_rate",        "lr",                     ':11: optimizer: unknown option "lr"; valid: amsgrad, beta1, beta2, epsilon, learning_rate, learning_rate_factors, type'),
    ("warmup",               "warm_up",                ':12: schedule: unknown option "warm_up"; did you mean "warmup"?'),
    ("k: 3",                 "n: 3",                   ':13: metrics[1]: unknown option "n"; valid: k, type'),
    ("epochs: 40",           "epoch: 40",              ':15: training: unknown option "epoch"; did you mean "epochs"?'),
    ("patience",             "patince",                ':17: training.early_stopping: unknown option "patince"; did you mean "patience"?'),
    ("seed: 0",              "penalty: {l3: 1}",       ':2: penalty: unknown option "l3"; valid: l1, l2'),
    ("seed: 0",              "clip: {nrm: 1}",         ':2: clip: unknown option "nrm"; did you mean "norm"?'),
    # names that are in no registry
    ("type: sklearn",        "type: sklern",           ':3: data: unknown data source "sklern"; did you mean "sklearn"?'),
    ("{type: dense",         "{type: dens",            ':5: model[0]: unknown layer "dens"; did you mean "dense"?'),
    ("{type: dropout, rate: 0.1}", "droput",           ':6: model[1]: unknown layer "droput"; did you mean "dropout"?'),
    ("relu",                 "rleu",                   ':5: model[0].activation: unknown activation "rleu"; did you mean "relu"?'),
    ("type: uniform",        "type: unifrm",           ':9: model[2].weight_initializer: unknown initializer "unifrm"; did you mean "uniform"?'),
    ("softmax_cross_entropy", "softmax_crossentropy",  ':10: loss: unknown loss "softmax_crossentropy"; did you mean "softmax_cross_entropy"?'),
    ("type: adam",           "type: adma",             ':11: optimizer: unknown optimizer "adma"; did you mean "adam"?'),
    ("type: cosine",         "type: cosin",            ':12: schedule: unknown schedule "cosin"; did you mean "cosine"?'),
    ("[accuracy,",           "[acuracy,",              ':13: metrics[0]: unknown metric "acuracy"; did you mean "accuracy"?'),
    ("type: top_k",          "type: top-k",            ':13: metrics[1]: unknown metric "top-k"; did you mean "top_k"?'),
    ("scale: standard",      "scale: standrd",         ':3: data.scale: unknown value "standrd"; did you mean "standard"?'),
    ("seed: 0",              "dtype: float16",         ':2: dtype: unknown value "float16"; did you mean "float64"?'),
    # wrong types
    ("name: digits",         "name: 5",                ':1: name: expected text that matches [A-Za-z0-9][A-Za-z0-9._-]{0,99}, got 5'),
    ("seed: 0",              "seed: 1.5",              ':2: seed: expected a whole number >= 0 and < 9,223,372,036,854,775,808, got 1.5'),
    ("    units: 10",        "    units: 12a",         ':8: model[2].units: expected a whole number >= 1, got "12a"'),
    ("    units: 10",        "    units: true",        ':8: model[2].units: expected a whole number >= 1, got true'),
    ("    units: 10",        "    units: 10.0",        ':8: model[2].units: expected a whole number >= 1, got 10.0'),
    ("    units: 10",        "    units: [10]",        ':8: model[2].units: expected a whole number >= 1, got a list of 1'),
    ("    units: 10",        "    bias: no",           ':8: model[2].bias: expected true or false, got "no"'),
    ("rate: 0.1",            "rate: ten percent",      ':6: model[1].rate: expected a number >= 0 and < 1, got "ten percent"'),
    ("rate: 0.1",            "rate: null",             ':6: model[1].rate: expected a number >= 0 and < 1, got nothing'),
    ("rate: 0.1",            "rate: 0.1, name: a b",   ':6: model[1].name: expected text that matches [A-Za-z_][A-Za-z0-9_]*, got "a b"'),
    ("rate: 0.1",            "rate: 0.1, from: 1",     ':6: model[1].from: expected text or a list, each text, got 1'),
    ("rate: 0.1",            "rate: 0.1, from: [1]",   ':6: model[1].from[0]: expected text, got 1'),
    ("1e-3",                 '"1e-3"',                 ':11: optimizer.learning_rate: expected a number > 0 or "find", got "1e-3"'),
    ("1e-3",                 ".nan",                   ':11: optimizer.learning_rate: expected a number > 0 or "find", got .nan'),
    ("{patience: 10}",       "yes",                    ':17: training.early_stopping: expected a mapping, got "yes"'),
    ("batch_size: 32",       "batch_size: all",        ':16: training.batch_size: expected a whole number >= 1 or "full", got "all"'),
    ("batch_size: 32",       "batch_size: {a: 1}",     ':16: training.batch_size: expected a whole number >= 1 or "full", got a mapping'),
    ("epochs: 40",           "shuffle: 1",             ':15: training.shuffle: expected true or false, got 1'),
    ("epochs: 40",           "threads: many",          ':15: training.threads: expected a whole number >= 1 and <= 256 or "auto", got "many"'),
    ("[accuracy, {type: top_k, k: 3}]", "accuracy",    ':13: metrics: expected a list, got "accuracy"'),
    ("{validation: 0.15, test: 0.15}", "0.3",          ':3: data.split: expected a mapping, got 0.3'),
    ("softmax_cross_entropy", "[huber]",               f':10: loss: expected a mapping with a "type" or a type alone ({", ".join(losses)}), got a list of 1'),
    ("  - {type: dropout, rate: 0.1}", "  - 7",        f':6: model[1]: expected a mapping with a "type" or a type alone ({LAYERS}), got 7'),
    ("{type: dense",         "{type: 7",               f':5: model[0].type: expected one of {LAYERS}, got 7'),
    # out of range
    ("name: digits",         "name: a/b",              ':1: name: "a/b" cannot name a folder; use at most 100 letters, digits, '
        '".", "_" and "-", beginning with a letter or digit'),
    ("name: digits",         "name: ..",               ':1: name: ".." cannot name a folder; use at most 100 letters, digits, '
        '".", "_" and "-", beginning with a letter or digit'),
    ("seed: 0",              "seed: -1",               ':2: seed: expected a whole number >= 0 and < 9,223,372,036,854,775,808, got -1'),
    ("    units: 10",        "    units: 0",           ':8: model[2].units: expected a whole number >= 1, got 0'),
    ("rate: 0.1",            "rate: 1",                ':6: model[1].rate: expected a number >= 0 and < 1, got 1'),
    ("low: -0.1",            "low: 0.5",               ':9: model[2].weight_initializer: expected low < high, got low 0.5 and high 0.1'),
    ("1e-3",                 "0",                      ':11: optimizer.learning_rate: expected a number > 0 or "find", got 0'),
    ("1e-3",                 "-.inf",                  ':11: optimizer.learning_rate: expected a number > 0 or "find", got -.inf'),
    ("warmup: 2",            "warmup: -2",             ':12: schedule.warmup: expected a number >= 0, got -2'),
    ("k: 3",                 "k: 0",                   ':13: metrics[1].k: expected a whole number >= 1, got 0'),
    ("epochs: 40",           "epochs: 0",              ':15: training.epochs: expected a whole number >= 1, got 0'),
    ("epochs: 40",           "replicas: 1",            ':15: training.replicas: expected a whole number >= 2, got 1'),
    ("epochs: 40",           "folds: 1",               ':15: training.folds: expected a whole number >= 2, got 1'),
    ("epochs: 40",           "folds: 3\n  replicas: 4", ':14: training: replicas 4 and folds 3 are two studies; give one of them'),
    ("{validation: 0.15, test: 0.15}", "{fold: {number: 3, of: 2}}", ':3: data.split.fold: there is no fold 3 of 2; '
        'give a number from 1 to 2'),
    ("{validation: 0.15, test: 0.15}", "{validation: 0.1, fold: {number: 1, of: 2}}", ':3: data.split: validation 0.1 and a '
        'fold give two validation parts; set validation: 0'),
    ("batch_size: 32",       "batch_size: 0",          ':16: training.batch_size: expected a whole number >= 1 or "full", got 0'),
    ("patience: 10",         "min_delta: -1",          ':17: training.early_stopping.min_delta: expected a number >= 0, got -1'),
    ("seed: 0",              "test_data: {type: sklearn, dataset: digits}", ':2: test_data: data.split has test: 0.15 too; remove one of them'),
    ("seed: 0",              "validation_data: {type: sklern}", ':2: validation_data: unknown data source "sklern"; did you mean "sklearn"?'),
    # missing
    ("loss: softmax_cross_entropy\n", "",              f': missing "loss"; valid: {", ".join(losses)}'),
    ("{type: dropout, rate: 0.1}", "dropout",          ':6: model[1]: missing "rate"; expected a number >= 0 and < 1'),
    ("type: dropout, ",      "",                       f':6: model[1]: missing "type"; valid: {LAYERS}'),
    # connections of layers
    ("rate: 0.1",            "rate: 0.1, name: dense_1", ':6: model[1].name: the name "dense_1" is taken by model[0]; choose another'),
    ("rate: 0.1",            "rate: 0.1, name: input", ':6: model[1].name: the name "input" is reserved for the data; choose another'),
    ("rate: 0.1",            "rate: 0.1, from: dens_1", ':6: model[1].from: no layer is called "dens_1"; did you mean "dense_1"?'),
    ("rate: 0.1",            "rate: 0.1, from: dense_2", ":7: model[2].from: layers take each other's outputs in a cycle: "
        "dropout_1 -> dense_2 -> dropout_1"),
    # layers in a repeat
    ("{type: dropout, rate: 0.1}", "{type: repeat, times: 0, layers: [dense]}", ':6: model[1].times: expected a whole number >= 1 and <= 1,000, got 0'),
    ("{type: dropout, rate: 0.1}", "{type: repeat, times: 2}", ':6: model[1]: missing "layers"; expected a non-empty list'),
    ("{type: dropout, rate: 0.1}", "{type: repeat, times: 2, layers: []}", ':6: model[1].layers: expected a non-empty list, got an empty list'),
    ("{type: dropout, rate: 0.1}", "{type: repeat, times: 2, layers: [dens]}", ':6: model[1].layers[0]: unknown layer "dens"; did you mean "dense"?'),
    ("{type: dropout, rate: 0.1}", "{type: repeat, times: 2, layers: [{type: dense, unit: 2}]}", ':6: model[1].layers[0]: unknown option "unit"; did you mean "units"?'),
    ("{type: dropout, rate: 0.1}", "{type: repeat, times: 2, layers: [{type: dropout, rate: 2}]}", ':6: model[1].layers[0].rate: expected a number >= 0 and < 1, got 2'),
    ("{type: dropout, rate: 0.1}", "{type: repeat, times: 2, layers: [{type: scale, from: dense_1}]}", ':6: model[1].layers[0].from: no layer of this repeat is called "dense_1"; valid: input '
        '(in a repeat, "from" takes names given in it, or "input", which is what goes into a copy)'),
    ("{type: dropout, rate: 0.1}", "{type: repet, times: 2}",  ':6: model[1]: unknown layer "repet"; did you mean "repeat"?'),
    ("{type: dropout, rate: 0.1}", "{repeat: {times: 0, layers: [dense]}}", ':6: model[1].times: expected a whole number >= 1 and <= 1,000, got 0'),
    ("{type: dropout, rate: 0.1}", "repeat:\n      times: 2\n      layers: [dens]", ':8: model[1].layers[0]: unknown layer "dens"; did you mean "dense"?'),
    # YAML
    ("seed: 0",              "name: other",            ':2: "name" is given twice; first at a.yaml:1'),
    ("seed: 0",              "seed: !!int x",          ':2: seed: expected a whole number >= 0 and < 9,223,372,036,854,775,808, got "x"'),
    ("rate: 0.1}",           "rate: 0.1",              ":7: not valid YAML: expected ',' or '}', but got ':' "
        "(while parsing a flow mapping that begins in line 6)"),
]
# The argument of `--set`, and the message.
BAD_SETTINGS = [
    ("epochs",                    "--set epochs: expected PATH=VALUE, such as training.epochs=5"),
    ("=5",                        '--set =5: "" is not a path; write keys and indices as in model[2].units'),
    ("training..epochs=5",        '--set training..epochs=5: "training..epochs" is not a path; write keys and indices as in model[2].units'),
    ("model[-1].units=5",         '--set model[-1].units=5: "model[-1].units" is not a path; write keys and indices as in model[2].units'),
    ("training.epochs=5x",        '--set training.epochs=5x: training.epochs: expected a whole number >= 1, got "5x"'),
    ("training.epochs=",          "--set training.epochs=: training.epochs: expected a whole number >= 1, got nothing"),
    ("training.epochs=[5",        "--set training.epochs=[5: not valid YAML: expected ',' or ']', but got the end "
        "(while parsing a flow sequence that begins in line 1)"),
    ("trainng.epochs=5",          '--set trainng.epochs=5: unknown option "trainng"; did you mean "training"?'),
    ("training.epoch=5",          '--set training.epoch=5: training: unknown option "epoch"; did you mean "epochs"?'),
    ("training=5",                "--set training=5: training: expected a mapping, got 5"),
    ("seed.x=5",                  "--set seed.x=5: seed holds no options to set"),
    ("model[3].units=5",          "--set model[3].units=5: model has entries 0 to 2, so [3] does not exist"),
    ("model[2].units=0",          "--set model[2].units=0: model[2].units: expected a whole number >= 1, got 0"),
    ("model[2].unit=5",           '--set model[2].unit=5: model[2]: unknown option "unit"; did you mean "units"?'),
    ("model.units=5",             '--set model.units=5: model: unknown option "units"; valid: initial_weights, layers'),
    ("model=[]",                  "--set model=[]: model: expected a non-empty list or a mapping, got an empty list"),
    ("model[1].from=nowhere",     '--set model[1].from=nowhere: model[1].from: no layer is called "nowhere"; valid: dense_1, dense_2, '
        'input'),
    ("model[1]={type: repeat, times: 0, layers: [dense]}", "--set model[1]={type: repeat, times: 0, layers: [dense]}: model[1].times: "
        "expected a whole number >= 1 and <= 1,000, got 0"),
    ("optimizer[0]=adam",         "--set optimizer[0]=adam: optimizer is not a list"),
    ("loss.delta=1",              '--set loss.delta=1: loss: unknown option "delta"; valid: label_smoothing, type'),
    ("schedule.type=cosin",       '--set schedule.type=cosin: schedule: unknown schedule "cosin"; did you mean "cosine"?'),
    ("clip.norm=0",               "--set clip.norm=0: clip.norm: expected a number > 0, got 0"),
]
# fmt: on


@pytest.mark.parametrize(("old", "new", "message"), BAD_CONFIGS)
def test_a_mistake_in_the_file_is_one_message(folder: Path, old: str, new: str, message: str) -> None:
    assert old in CONFIG
    Path("a.yaml").write_text(CONFIG.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        config.load("a.yaml")
    assert str(caught.value) == f"a.yaml{message}"


@pytest.mark.parametrize(("setting", "message"), BAD_SETTINGS)
def test_a_mistake_in_a_setting_is_one_message_that_names_it(
    folder: Path, setting: str, message: str
) -> None:
    Path("a.yaml").write_text(CONFIG)
    with pytest.raises(ConfigError) as caught:
        config.load("a.yaml", [setting])
    assert str(caught.value) == message


def test_all_mistakes_are_listed_a_line_each(folder: Path) -> None:
    Path("a.yaml").write_text("data: 5\nmodel: {layer: []}\noptimiser: adam\n")
    with pytest.raises(ConfigError) as caught:
        config.load("a.yaml")
    lines = str(caught.value).splitlines()
    assert [line.split(";")[0].split(" or")[0] for line in lines] == [
        'a.yaml:1: data: expected a mapping with a "type"',
        'a.yaml:2: model: missing "layers"',
        'a.yaml:2: model: unknown option "layer"',
        'a.yaml: missing "loss"',
        'a.yaml:3: unknown option "optimiser"',
    ]


def test_options_from_python_have_messages_without_a_file() -> None:
    layer = {"type": "dense", "units": 0}
    with pytest.raises(ConfigError) as caught:
        config.resolve({"data": {"type": "sklearn", "dataset": "digits"}, "model": [layer], "loss": "huber"})
    assert str(caught.value) == "model[0].units: expected a whole number >= 1, got 0"


def test_an_error_of_a_later_room_gets_its_place(folder: Path) -> None:
    Path("a.yaml").write_text(CONFIG)
    found = config.read("a.yaml", ["model[1].rate=0.2"])
    places = {
        ("model", 2): "a.yaml:7: model[2]: no",
        ("model", 2, "units"): "a.yaml:8: model[2].units: no",
        ("model", 1, "rate"): "--set model[1].rate=0.2: model[1].rate: no",
        ("training", "threads"): "a.yaml:14: training.threads: no",
        ("clip",): "a.yaml: clip: no",
        (): "no",
    }
    for path, text in places.items():
        with pytest.raises(GraphError) as caught, found.located():
            raise GraphError("no", path)
        assert (str(caught.value), caught.value.path) == (text, ())
