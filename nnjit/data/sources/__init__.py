"""The data sources, one file each, imported when a config uses it."""

from nnjit.data.source import sources

sources.list_modules(
    __name__,
    {
        "adding": ["adding"],
        "arrays": ["arrays"],
        "function": ["function"],
        "idx": ["idx"],
        "images": ["images"],
        "inline": ["inline"],
        "npy": ["npy"],
        "npz": ["npz"],
        "openml": ["openml"],
        "series": ["series"],
        "sklearn": ["sklearn"],
        "table": ["table", "csv"],
    },
)
