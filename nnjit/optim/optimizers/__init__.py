"""The optimizers, one file per family, imported when one of its optimizers is chosen."""

from nnjit.optim.optimizer import optimizers

optimizers.list_modules(
    __name__,
    {
        "adam": ["adam", "adamw"],
        "adam_variants": ["adamax", "nadam", "radam"],
        "descent": ["gradient_descent", "momentum", "nesterov", "lion"],
        "least_squares": ["gauss_newton", "levenberg_marquardt"],
        "rms": ["adagrad", "adadelta", "rmsprop"],
        "searching": ["conjugate_gradient", "lbfgs", "newton_cg"],
    },
)
