"""Whether a config suits its full-batch method, told before anything is compiled."""

from __future__ import annotations

from nnjit.errors import ConfigError, ConfigPath
from nnjit.experiment import Experiment
from nnjit.nn import Loss, losses
from nnjit.nn.losses import SumOfSquares
from nnjit.optim import Clip, FullBatchOptimizer
from nnjit.optim.schedules import Constant
from nnjit.training.graphs.full_batch import random_layers
from nnjit.training.graphs.joined import heads_of
from nnjit.training.graphs.step import Task

LARGEST_JACOBIAN = 2**28  # numbers, 2 GiB in float64


def check_full_batch(experiment: Experiment, method: FullBatchOptimizer, task: Task, rows: int) -> None:
    """Raise a ConfigError where an option does not go with the method.

    Args:
        rows: examples of the training part.
    """
    name = method.type
    if (size := experiment.training.batch_size) != "full":
        raise ConfigError(
            f"{name} needs the whole training part at once{_unless(experiment)}; expected full, got {size}",
            ("training", "batch_size"),
        )
    if experiment.schedule != Constant():
        raise ConfigError(
            f"{name} finds the length of its steps itself{_unless(experiment)}, so there is no learning rate "
            f'to schedule, but got "{experiment.schedule.type}"; leave the schedule out',
            ("schedule",),
        )
    if experiment.clip != Clip():
        raise ConfigError(
            f"{name} needs the gradient as it is, to find lower costs{_unless(experiment)}; leave clip out",
            ("clip",),
        )
    if experiment.averaging is not None:
        raise ConfigError(
            f"{name} moves from one lower cost to the next, and a mean of the params has a higher one"
            f"{_unless(experiment)}; leave averaging out",
            ("averaging",),
        )
    if task.model.state_table.size:
        held = next(iter(task.model.state_table)).name
        raise ConfigError(
            f'{name} needs a cost of the params alone, but a layer carries "{held}" from batch to batch; '
            "leave that layer out, or take one without state, such as layer_norm",
            ("model",),
        )
    if layers := random_layers(task):
        raise ConfigError(
            f'{name} compares costs, which "{layers[0]}" changes at random from one evaluation to the next; '
            "leave that layer out, or choose a penalty instead",
            ("model",),
        )
    if method.needs == "jacobian":
        _check_squares(experiment, task.loss, name, rows * task.model.output_shape[0], task.model.table.size)


def _check_squares(experiment: Experiment, loss: Loss, name: str, residuals: int, params: int) -> None:
    heads = heads_of(loss)
    places: dict[ConfigPath, Loss] = {("losses", h.name, "loss"): h.loss for h in heads} or {("loss",): loss}
    for place, each in places.items():
        if not isinstance(each, SumOfSquares):
            fit = " or ".join(known for known, cls in losses.items() if issubclass(cls, SumOfSquares))
            raise ConfigError(
                f"{name} needs a loss that is a sum of squares{' for every output' * bool(heads)}, "
                f'{fit}, got "{each.type}"; lbfgs takes any loss',
                place,
            )
    if experiment.penalty.l1:
        raise ConfigError(
            f"{name} needs a cost that is a sum of squares, which an l1 penalty is not; choose l2",
            ("penalty", "l1"),
        )
    if residuals * params > LARGEST_JACOBIAN:
        raise ConfigError(
            f"{name} needs the Jacobian of {residuals:,} residuals for {params:,} params, more than "
            f"{LARGEST_JACOBIAN:,} numbers; choose lbfgs, a smaller network or fewer examples",
            ("optimizer",),
        )


def _unless(experiment: Experiment) -> str:
    """How else an optimizer whose line search makes it a full-batch method would do."""
    return " (without line_search it does not)" if experiment.optimizer.type == "gradient_descent" else ""
