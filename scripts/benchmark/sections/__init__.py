"""The measurements, one file each: `run` prints its tables, and returns its part of the JSON."""

from scripts.benchmark.sections import (
    autodiff,
    busy,
    epochs,
    estimators,
    growth,
    layers,
    prediction,
    ranks,
    repeated,
    search,
    startup,
    threads,
    training,
)

SECTIONS = {
    "workloads": training.run,
    "threads": threads.run,
    "busy": busy.run,
    "growth": growth.run,
    "layers": layers.run,
    "startup": startup.run,
    "epochs": epochs.run,
    "autodiff": autodiff.run,
    "prediction": prediction.run,
    "estimators": estimators.run,
    "ranks": ranks.run,
    "repeated": repeated.run,
    "search": search.run,
}
