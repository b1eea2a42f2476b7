"""Functions with custom derivative rules.

The function's own nodes compute its value; a `custom` node after each result holds the rule and reads the
arguments, for derivatives alone. A rule for one mode gives the other: both are linear, and `pull_back` builds
the transpose of a linear graph.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

import numpy as np

import nnjit.numpy as nnp
from nnjit.autodiff.batch import batch, one_of
from nnjit.autodiff.reverse import pull_back
from nnjit.autodiff.rules import RULES, Rules
from nnjit.autodiff.tracing import described, like, node_of
from nnjit.autodiff.tree import Rebuild, along, flatten
from nnjit.errors import GraphError
from nnjit.ir import Node, apply, new_input, rebuild, tracing
from nnjit.primitives import custom_p, full_like


class custom_jvp:  # noqa: N801  # a decorator
    """A function with its derivative defined by `defjvp(rule)`: rule(primals, tangents) -> (value, tangent).

    The tangent must be linear in the tangents; reverse mode is its transpose. The rule covers the arguments
    only: nothing flows into traced values that the function closes over. It gets all arguments by position,
    including keyword arguments and defaults.

    Args:
        nondiff_argnums: arguments that are not arrays (functions, for example) or are known. The rule gets
            them first, rule(*them, primals, tangents), and not among the primals.

    >>> from nnjit import grad
    >>> @custom_jvp
    ... def f(x):
    ...     return x * x
    >>> @f.defjvp
    ... def rule(primals, tangents):
    ...     return f(*primals), 100.0 * tangents[0]
    >>> float(grad(f)(3.0))
    100.0
    """

    def __init__(self, function: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        self.function, self.numbers = function, nondiff_argnums
        self.rule: Callable[..., Any] | None = None
        update_wrapper(self, function)

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Set the rule, and return it."""
        self.rule = rule
        return rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = _name(self.function)
        if self.rule is None:
            raise GraphError(f"{name} has no rule yet; define it with defjvp")
        args = _by_position(self.function, args, kwargs)
        known, others = _split(name, args, self.numbers)
        rule = partial(self.rule, *known.values())
        return _called(self.function, args, _Forward(name, *flatten(others), rule))


class custom_vjp:  # noqa: N801  # a decorator
    """A function with its derivative defined by `defvjp(forward, backward)`.

    forward(*args) -> (value, residuals); backward(residuals, cotangent) -> a cotangent for each argument, or
    None if zero, linear in the cotangent. Forward mode is the transpose of `backward`.
    `forward` gets all arguments by position, including keyword arguments and defaults.

    Args:
        nondiff_argnums: arguments that are not arrays (functions, for example) or are known. `backward` gets
            them first, backward(*them, residuals, cotangent), and returns no cotangents for them.

    >>> from nnjit import grad
    >>> @custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda _, g: (nnp.clip(g, -1.0, 1.0),))
    >>> float(grad(lambda x: 5.0 * clipped(x))(3.0))
    1.0
    """

    def __init__(self, function: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        self.function, self.numbers = function, nondiff_argnums
        self.rules: tuple[Callable[..., Any], Callable[..., Any]] | None = None
        update_wrapper(self, function)

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Set the rules."""
        self.rules = forward, backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = _name(self.function)
        if self.rules is None:
            raise GraphError(f"{name} has no rules yet; define them with defvjp")
        args = _by_position(self.function, args, kwargs)
        known, others = _split(name, args, self.numbers)
        forward, backward = self.rules

        def run(*others: Any) -> Any:
            return forward(*_merged(known, others))

        rule = _Reverse(name, *flatten(others), run, partial(backward, *known.values()))
        return _called(self.function, args, rule)


def as_node(x: Any) -> Node:
    """`x` as a node, without the parts that only derivatives read; an array becomes a constant."""
    node = node_of(x)
    return rebuild([node], {}, lambda n: n.inputs[0] if n.primitive is custom_p else n)[0]


@dataclass(frozen=True, eq=False)
class _Rule(ABC):
    """The rule of one call; nodes stand for the nodes among its arguments' leaves.

    Args:
        name: the function's name.
    """

    name: str
    leaves: list[Any]
    build: Rebuild

    def arguments(self, nodes: Sequence[Any], other: Callable[[Any], Any] = lambda x: x) -> Any:
        """Rebuild the arguments from `nodes` for the traced leaves and `other(leaf)` for the rest."""
        new = iter(nodes)
        return self.build([next(new) if isinstance(x, Node) else other(x) for x in self.leaves])

    @abstractmethod
    def push(self, nodes: Sequence[Node], tangents: Sequence[Node], index: int) -> Node:
        """The tangent of result number `index`."""

    def pull(self, g: Node, nodes: Sequence[Node], index: int) -> list[Node | None]:
        """The nodes' cotangents: by default, the transpose of `push`."""
        seeds = [new_input(n.type) for n in nodes]
        return list(pull_back([self.pushed(nodes, seeds, index, g)], seeds, [g]))

    def pushed(self, nodes: Sequence[Node], tangents: Sequence[Node], index: int, out: Node) -> Node:
        """As `push`, after checking the type against the result `out`, or its cotangent."""
        moved = self.push(nodes, tangents, index)
        if moved.type != out.type:
            raise GraphError(f"{self.name}: the rule gives a tangent {moved.type} for a result {out.type}")
        return moved


@dataclass(frozen=True, eq=False)
class _Forward(_Rule):
    rule: Callable[..., Any]

    def push(self, nodes: Sequence[Node], tangents: Sequence[Node], index: int) -> Node:
        with tracing():
            made = self.rule(self.arguments(nodes), self.arguments(tangents, np.zeros_like))
        moved = flatten(_pair(made, f"{self.name}: the rule must return a pair (value, tangent)")[1])[0]
        if index >= len(moved):
            raise GraphError(
                f"{self.name}: the rule gives {len(moved)} tangents, of fewer results than there are"
            )
        return node_of(moved[index])


@dataclass(frozen=True, eq=False)
class _Reverse(_Rule):
    forward: Callable[..., Any]
    backward: Callable[..., Any]

    def push(self, nodes: Sequence[Node], tangents: Sequence[Node], index: int) -> Node:
        """The transpose of `pull`."""
        with tracing():
            value = self._forward(self.arguments(nodes))[0]
        seed = new_input(node_of(flatten(value)[0][index]).type)
        back = zip(self.pull(seed, nodes, index), tangents, strict=True)
        inner = [nnp.sum(g * t) for g, t in back if g is not None]
        if not inner:
            return full_like(seed, 0)
        return pull_back(inner, [seed], [full_like(n, 1) for n in inner])[0]

    def pull(self, g: Node, nodes: Sequence[Node], index: int) -> list[Node | None]:
        args = self.arguments(nodes)
        with tracing():
            value, residuals = self._forward(args)
            outs, build_out = flatten(value)
            seeds = build_out([g if k == index else nnp.zeros_like(out) for k, out in enumerate(outs)])
            given = self.backward(residuals, seeds)
        if not isinstance(given, (tuple, list)) or len(given) != len(args):
            shown = f"{len(given)} cotangents" if isinstance(given, (tuple, list)) else described(given)
            raise GraphError(
                f"{self.name}: the rule gives {shown} for {len(args)} arguments; expected a tuple with a "
                "cotangent for each, None if it is zero"
            )
        back = along(tuple(given), args, repeats=lambda c: c is None)
        pairs = zip(flatten(args)[0], back, strict=True)
        return [None if c is None else node_of(like(c, x)) for x, c in pairs if isinstance(x, Node)]

    def _forward(self, args: Any) -> Any:
        return _pair(self.forward(*args), f"{self.name}: forward must return a pair (value, residuals)")


@dataclass(frozen=True, eq=False)
class _Mapped(_Rule):
    """A rule for `n` examples, the leading axis of every argument."""

    rule: _Rule
    n: int

    def push(self, nodes: Sequence[Node], tangents: Sequence[Node], index: int) -> Node:
        ones, moves = [one_of(n) for n in nodes], [one_of(t) for t in tangents]
        out = self.rule.push(ones, moves, index)
        return batch([out], dict(zip([*ones, *moves], [*nodes, *tangents], strict=True)), self.n)[0]


def _called(function: Callable[..., Any], args: Sequence[Any], rule: _Rule) -> Any:
    nodes = [leaf for leaf in rule.leaves if isinstance(leaf, Node)]
    result = function(*args)
    if not nodes:
        return result
    outs, build = flatten(result)
    ruled = [apply(custom_p, node_of(out), *nodes, rule=rule, index=k) for k, out in enumerate(outs)]
    return build(ruled)


def _push(
    out: Node, args: Sequence[Node], tangents: Sequence[Node | None], rule: _Rule, index: int
) -> Node | None:
    pairs = list(zip(args[1:], tangents[1:], strict=True))
    if not out.type.is_float or all(t is None for _, t in pairs):
        return None
    return rule.pushed(args[1:], [full_like(x, 0) if t is None else t for x, t in pairs], index, out)


def _by_position(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Any, ...]:
    """All arguments of a call, defaults included, in the signature's order.

    Raises:
        GraphError: a keyword-only argument is given.
    """
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    if named := [name for name in bound.kwargs if name in kwargs]:
        raise GraphError(
            f"{_name(function)}: its rule gets arguments by position, not {', '.join(named)}; "
            "remove the * from the signature, or let the function close over the value"
        )
    return bound.args


def _split(name: str, args: Sequence[Any], numbers: Sequence[int]) -> tuple[dict[int, Any], tuple[Any, ...]]:
    """Split off the arguments that a rule takes as known, by number.

    Raises:
        GraphError: one of these is traced, or its number is out of range.
    """
    known = {}
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise GraphError(f"{name}: nondiff_argnums has {i}, but there are {len(args)} arguments")
        known[i % len(args)] = args[i]
    if traced := [i for i, x in known.items() if any(isinstance(leaf, Node) for leaf in flatten(x)[0])]:
        raise GraphError(f"{name}: argument {traced[0]} is traced; remove it from nondiff_argnums")
    return known, tuple(x for i, x in enumerate(args) if i not in known)


def _merged(known: Mapping[int, Any], others: Sequence[Any]) -> list[Any]:
    rest = iter(others)
    return [known[i] if i in known else next(rest) for i in range(len(known) + len(others))]


def _pair(made: Any, wanted: str) -> Any:
    if not isinstance(made, (tuple, list)) or len(made) != 2:
        raise GraphError(f"{wanted}, got {described(made)}")
    return made


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", "the function")


def _pull(g: Node, out: Node, args: Sequence[Node], rule: _Rule, index: int) -> list[Node | None]:
    return [None, *rule.pull(g, args[1:], index)]


def _lift(n: int, rule: _Rule, index: int) -> dict[str, Any]:
    return {"rule": _Mapped(rule.name, rule.leaves, rule.build, rule, n), "index": index}


RULES[custom_p] = Rules(_push, _pull, _lift)
