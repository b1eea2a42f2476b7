"""Write names of the data as Python source, for exports that are Python files."""

from __future__ import annotations

import json
import keyword
import unicodedata
from collections.abc import Mapping, Sequence

from nnjit.export.network import Network

WIDTH = 100


def identifier(name: str) -> str:
    """Return a valid Python name like this one, in Python's normal form of names.

    >>> identifier("a note"), identifier("m²"), identifier("lambda")
    ('a_note', 'm2', 'lambda_')
    """
    found = unicodedata.normalize("NFKC", name)
    found = "".join(c if f"_{c}".isidentifier() else "_" for c in found)
    found = found if found.isidentifier() else f"_{found}"
    return f"{found}_" if keyword.iskeyword(found) or keyword.issoftkeyword(found) else found


def quoted(name: str) -> str:
    """Return a text as source."""
    return json.dumps(name, ensure_ascii=False)


def tuple_of(names: Sequence[str]) -> str:
    """Return a tuple of texts as source."""
    return f"({', '.join(map(quoted, names))}{',' * (len(names) == 1)})"


def names_of(network: Network) -> list[str]:
    """Return the lines that define FEATURES, CATEGORIES and CLASSES, if the network has them."""
    lines: list[str] = []
    if network.features:
        lines += _tuple("FEATURES", network.features)
    categories = {column.name: column.entries for column in network.columns if column.entries}
    if categories:
        lines += _mapping("CATEGORIES", categories)
    classes = {o.name: o.classes for o in network.outputs if o.classes is not None}
    if len(network.outputs) > 1 and classes:
        lines += _mapping("CLASSES", classes)
    else:
        lines += [line for names in classes.values() for line in _tuple("CLASSES", names)]
    return lines


def _tuple(name: str, values: Sequence[str]) -> list[str]:
    line = f"{name} = {tuple_of(values)}"
    return [line] if len(line) <= WIDTH else [f"{name} = (", *(f"    {quoted(v)}," for v in values), ")"]


def _mapping(name: str, values: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{name} = {{", *(f"    {quoted(key)}: {tuple_of(v)}," for key, v in values.items()), "}"]
