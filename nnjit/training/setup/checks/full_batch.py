"""Check that a config suits its full-batch method, before anything is compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from nnjit.errors import ConfigError, ConfigPath
from nnjit.experiment import Experiment
from nnjit.nn import Loss, losses
from nnjit.nn.losses.loss import SumOfSquares
from nnjit.optim import Clip, FullBatchOptimizer
from nnjit.optim.optimizers.least_squares import LevenbergMarquardt
from nnjit.optim.schedules.endless import Constant
from nnjit.training.graphs.full_batch import random_layers
from nnjit.training.graphs.task import Task
from nnjit.training.setup.outputs import Outputs

LARGEST_JACOBIAN = 2**28  # numbers, 2 GiB in float64


@dataclass(frozen=True, eq=False)
class Case:
    """A config with a full-batch method.

    Args:
        rows: the number of training examples.
    """

    experiment: Experiment
    method: FullBatchOptimizer
    task: Task
    outputs: Outputs
    rows: int

    @property
    def name(self) -> str:
        return self.method.type

    @property
    def unless(self) -> str:
        """A remark that gradient descent is a full-batch method only with a line search; else empty."""
        is_descent = self.experiment.optimizer.type == "gradient_descent"
        return " (without line_search it does not)" if is_descent else ""

    @property
    def has_factors(self) -> bool:
        """Whether layers have their own learning rates, an option only of gradient descent."""
        return bool(getattr(self.experiment.optimizer, "learning_rate_factors", None))

    @cached_property
    def random_layers(self) -> list[str]:
        return random_layers(self.task)

    @property
    def state(self) -> str:
        """The first array that a layer carries from batch to batch."""
        return next(iter(self.task.model.state_table)).name

    @property
    def params(self) -> int:
        return self.task.model.table.size

    @property
    def residuals(self) -> int:
        """The number of residuals of the training part."""
        return self.rows * self.task.model.output_shape[0]

    @property
    def squares(self) -> int:
        """The number of elements of JᵀJ; 0 for a method that does not form it."""
        return self.params**2 if isinstance(self.method, LevenbergMarquardt) else 0


Test = Callable[[Case], bool]
Words = Callable[[Case], str]
Rule = tuple[ConfigPath, Test, Words]

# fmt: off
RULES: tuple[Rule, ...] = (
    # path                     what is wrong with a case                     the message
    (("training", "batch_size"), lambda c: c.experiment.training.batch_size != "full", lambda c:
        f"{c.name} needs the whole training part at once{c.unless}; "
        f"expected full, got {c.experiment.training.batch_size}"),
    (("schedule",),              lambda c: c.experiment.schedule != Constant(), lambda c:
        f"{c.name} finds the length of its steps itself{c.unless}, so there is no learning rate to schedule, "
        f'but got "{c.experiment.schedule.type}"; omit the schedule'),
    (("optimizer", "learning_rate_factors"), lambda c: c.has_factors, lambda c:
        f"{c.name} with line_search finds the length of its steps itself, so there is no learning rate to "
        "multiply; omit learning_rate_factors"),
    (("clip",),                  lambda c: c.experiment.clip != Clip(), lambda c:
        f"{c.name} needs the unchanged gradient to find lower costs{c.unless}; omit clip"),
    (("averaging",),             lambda c: c.experiment.averaging is not None, lambda c:
        f"{c.name} lowers the cost with every step, and averaged params have a higher one"
        f"{c.unless}; omit averaging"),
    (("model",),                 lambda c: bool(c.task.model.state_table.size), lambda c:
        f'{c.name} needs a cost of the params alone, but a layer carries "{c.state}" from batch to batch; '
        "omit that layer, or choose one without state, such as layer_norm"),
    (("model",),                 lambda c: bool(c.random_layers), lambda c:
        f'{c.name} compares costs, which "{c.random_layers[0]}" changes at random from one evaluation to the '
        "next; omit that layer, or choose a penalty instead"),
)

RULES_OF_SQUARES: tuple[Rule, ...] = (
    (("penalty", "l1"),          lambda c: bool(c.experiment.penalty.l1), lambda c:
        f"{c.name} needs a cost that is a sum of squares, which an l1 penalty is not; choose l2"),
    (("optimizer",),             lambda c: c.residuals * c.params > LARGEST_JACOBIAN, lambda c:
        f"{c.name} needs the Jacobian of {c.residuals:,} residuals for {c.params:,} params, more than "
        f"{LARGEST_JACOBIAN:,} numbers; choose lbfgs, a smaller network or fewer examples"),
    (("optimizer",),             lambda c: c.squares > LARGEST_JACOBIAN, lambda c:
        f"{c.name} needs JᵀJ of {c.params:,} params, more than {LARGEST_JACOBIAN:,} numbers; choose lbfgs or "
        "a smaller network"),
)
# fmt: on


def check_full_batch(case: Case) -> None:
    """Raise a ConfigError if an option does not suit the method."""
    for path, is_wrong, words in _rules(case):
        if is_wrong(case):
            raise ConfigError(words(case), path)


def _rules(case: Case) -> Iterator[Rule]:
    """The rules of a case; with a Jacobian, every loss must also be a sum of squares."""
    yield from RULES
    if case.method.needs == "jacobian":
        yield from (_rule_of_loss(path, loss) for path, loss in case.outputs.losses.items())
        yield from RULES_OF_SQUARES


def _rule_of_loss(path: ConfigPath, loss: Loss) -> Rule:
    squares = " or ".join(name for name, cls in losses.items() if issubclass(cls, SumOfSquares))

    def words(case: Case) -> str:
        each = " for every output" if len(case.outputs.losses) > 1 else ""
        return (
            f"{case.name} needs a loss that is a sum of squares{each}, {squares}, "
            f'got "{loss.type}"; lbfgs takes any loss'
        )

    return path, lambda _: not isinstance(loss, SumOfSquares), words
