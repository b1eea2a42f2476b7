"""The schedules; their files are imported when one of their schedules is chosen."""

from nnjit.optim.schedule import schedules

schedules.list_modules(
    __name__,
    {
        "endless": ["constant", "step", "exponential", "inverse_sqrt", "piecewise"],
        "finite": ["cosine", "polynomial", "cosine_restarts", "one_cycle"],
        "plateau": ["reduce_on_plateau"],
    },
)
