"""`features`, and layers that take columns of a table by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from nnjit.autodiff import check_grads
from nnjit.data.encoding.encoder import InputColumn
from nnjit.errors import ConfigError, GraphError, UserError
from nnjit.nn import AnyEntry, Model, build_model
from nnjit.nn.model.columns import indexed_columns

COLUMNS = (
    InputColumn("age", "number", 0, 2),  # with an indicator of missing values
    InputColumn("island", "category", 2, 1, ("(other)", "Biscoe", "Dream"), True),
    InputColumn("a note", "text", 3, 4, ("(padding)", "(unknown)", "ill", "well"), True),
    InputColumn("sex", "flag", 7, 1),
    InputColumn("id", "id", 8, 0),
)
X = np.array([[0.5, 0, 1, 2, 3, 0, 0, 1], [-1.0, 1, 2, 0, 0, 0, 0, 0], [2.0, 0, 0, 1, 2, 2, 3, 1]])
HEAD = {"type": "dense", "units": 1}


def layers_of(*options: Any) -> Any:
    return TypeAdapter(tuple[AnyEntry, ...]).validate_python(options)


def build(*options: Any, columns: tuple[InputColumn, ...] = COLUMNS) -> Model:
    return build_model(layers_of(*options), (8,), columns=columns)


def params_of(model: Model, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {e.name: rng.normal(size=e.shape) for e in model.arrays}


def test_columns_are_side_by_side_with_a_vector_for_each_category() -> None:
    model = build("features")
    params = params_of(model)
    assert {n: a.shape for n, a in params.items()} == {
        "features_1.island": (3, 3),
        "features_1.a_note": (4, 3),
    }
    words = params["features_1.a_note"]
    text = [(words[2] + words[3]) / 2, np.zeros(3), (words[1] + 2 * words[2] + words[3]) / 4]
    wanted = np.column_stack([X[:, :2], params["features_1.island"][[1, 2, 0]], text, X[:, 7]])
    np.testing.assert_allclose(model(params, X), wanted, rtol=1e-12)
    assert model.output_shape == (9,)


def test_gradients_are_those_of_differences() -> None:
    model = build({"type": "features", "size": 2}, {"type": "dense", "units": 2, "activation": "tanh"})
    arrays = params_of(model)
    check_grads(lambda *given: model(dict(zip(arrays, given, strict=True)), X), tuple(arrays.values()))


@pytest.mark.parametrize(("options", "shape"), [
    ({"from": "island"}, (3,)),
    ({"from": ("age", "sex")}, (3,)),
    ({"size": 5}, (13,)),
    ({"from": ("island", "sex"), "size": 1}, (2,)),
])  # fmt: skip
def test_from_names_the_columns(options: dict[str, Any], shape: tuple[int]) -> None:
    model = build({"type": "features", **options})
    assert model.output_shape == shape
    assert model(params_of(model), X).shape == (3, *shape)


def test_dropout_is_that_of_the_layer_dropout() -> None:
    model = build({"type": "features", "dropout": 0.5})
    params, draws = params_of(model), {"training": True, "key": np.uint32(1), "step": np.uint32(2)}
    ratio = model(params, X, **draws) / np.where(model(params, X) == 0, 1, model(params, X))
    assert set(np.round(ratio.ravel(), 12)) == {0.0, 2.0}


@pytest.mark.parametrize(("layers", "wanted"), [
    (("features",), "all"),
    (({"type": "features", "one_hot": True},), frozenset()),
    (({"type": "features", "from": ("island", "age")},), frozenset({"island", "age"})),
    (({"type": "embedding", "size": 2, "from": "island"}, HEAD), frozenset({"island"})),
    (({"type": "dense", "units": 2, "from": "age"}, HEAD), frozenset()),
    ((HEAD, {"type": "embedding", "entries": 4, "size": 2, "from": "dense_1"}), frozenset()),
])  # fmt: skip
def test_layers_say_of_which_columns_they_take_indices(layers: Any, wanted: Any) -> None:
    assert indexed_columns(layers_of(*layers)) == wanted


def test_an_embedding_of_a_column_has_its_entries() -> None:
    model = build(
        {"type": "embedding", "size": 2, "from": "island", "name": "vector"},
        {"type": "embedding", "size": 3, "from": "a note", "name": "words"},
        {"type": "flatten", "name": "flat"},
        {"type": "concat", "from": ("vector", "flat", "age")},
    )
    params = params_of(model)
    assert {n: a.shape for n, a in params.items()} == {"vector.weight": (3, 2), "words.weight": (4, 3)}
    is_word = (X[:, 3:7] > 0)[..., None]
    words = params["words.weight"][X[:, 3:7].astype(int)] * is_word
    vectors = params["vector.weight"][X[:, 2].astype(int)]
    wanted = np.column_stack([vectors, words.reshape(3, -1), X[:, :2]])
    np.testing.assert_allclose(model(params, X), wanted, rtol=1e-12)


def test_a_layer_of_several_columns_takes_them_side_by_side() -> None:
    model = build({"type": "dense", "units": 2, "from": ("sex", "age"), "bias": False}, HEAD)
    first = build({"type": "dense", "units": 2, "from": ("sex", "age"), "bias": False})
    weight = np.arange(6.0).reshape(3, 2)
    np.testing.assert_allclose(first({"dense_1.weight": weight}, X), X[:, [7, 0, 1]] @ weight, rtol=1e-12)
    assert [node.name for node in model.nodes] == ["sex", "age", "sex_age", "dense_1", "dense_2"]


def test_a_column_may_be_called_like_a_layer_that_is_made_of_it() -> None:
    columns = (InputColumn("x_", "number", 0, 8), InputColumn("x", "number", 0, 8))
    model = build(
        {"type": "dense", "units": 1, "from": "x_"}, {"type": "dense", "units": 1, "from": "x", "name": "y"},
        {"type": "add", "from": ("dense_1", "y")}, columns=columns,
    )  # fmt: skip
    assert len({node.name for node in model.nodes}) == 5


@pytest.mark.parametrize(("layers", "columns", "message"), [
    (["features"], (),
        "features takes the columns of a table, and this data has none; give data: {type: table}"),
    ([{"type": "features", "from": "iland"}], COLUMNS, 'no column is called "iland"; did you mean "island"?'),
    ([{"type": "dense", "units": 1, "from": "iland"}], COLUMNS,
        'no layer or column is called "iland"; did you mean "island"?'),
    ([{"type": "dense", "units": 1, "from": "id"}], COLUMNS,
        'column "id" (id) is left out of the inputs; state what it is with columns of data'),
    ([{"type": "embedding", "size": 1, "from": "age"}], COLUMNS,
        'embedding takes a column of categories or text; "age" is of the kind number'),
    ([{"type": "embedding", "size": 1, "entries": 2, "from": "island"}], COLUMNS,
        'column "island" has 3 entries, got 2; omit entries'),
    ([{"type": "embedding", "size": 1}], (),
        "embedding needs entries, unless from names a column of categories or text"),
    ([{"type": "dense", "units": 1, "from": "age"}], (), 'no layer is called "age"'),
])  # fmt: skip
def test_what_is_wrong_is_told(layers: Any, columns: tuple[InputColumn, ...], message: str) -> None:
    with pytest.raises((ConfigError, GraphError)) as caught:
        build(*layers, columns=columns)
    error: UserError = caught.value
    assert error.message.startswith(message)
    assert error.path[:2] == ("model", 0)
