"""Choose which columns of a table a config lists, and their options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnjit.config.proposal.remarks import remark
from nnjit.data.encoding.survey import Survey

MOST_LISTED = 32  # columns; of more, only those that are unlike most
_PLURALS = {
    "number": "numbers", "category": "categories", "flag": "flags", "date": "dates", "text": "texts",
    "id": "ids", "constant": "constants",
}  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """The options of columns, with comments.

    Args:
        kinds: by name, as in a config.
        unreadable: the columns to ignore.
        remarks: by name.
        counts: the number of columns of each kind, in words.
        are_all_listed: whether `kinds` has all columns; else those of the usual kind are inferred.
    """

    kinds: Mapping[str, Any]
    unreadable: Sequence[str]
    remarks: Mapping[str, str]
    counts: str
    are_all_listed: bool


def columns_of(surveys: Mapping[str, Survey]) -> Columns:
    """The columns that a config lists as inputs."""
    readable = {name: each for name, each in surveys.items() if not each.problem}
    kinds = {name: kind_of(each) for name, each in readable.items()}
    listed = kinds if len(kinds) <= MOST_LISTED else _unusual(kinds, readable)
    return Columns(
        kinds=listed,
        unreadable=[name for name in surveys if name not in readable],
        remarks={name: remark(surveys[name]) for name in listed},
        counts=_counts(kinds),
        are_all_listed=len(listed) == len(kinds),
    )


def kind_of(survey: Survey) -> Any:
    """The kind of a column as in a config: its name, or a mapping if it has options."""
    options = survey.kind.model_dump(exclude_defaults=True)
    return {"type": survey.kind.type, **options} if options else survey.kind.type


def _unusual(kinds: Mapping[str, Any], surveys: Mapping[str, Survey]) -> dict[str, Any]:
    """The columns whose kind training rows alone might not show, and, if there is room, others of an unusual
    kind: of constants all or none.
    """
    usual = Counter(map(str, kinds.values())).most_common(1)[0][0]
    needed = [name for name, kind in kinds.items() if isinstance(kind, dict) or surveys[name].spare]
    others = [name for name, kind in kinds.items() if name not in needed and kind not in (usual, "constant")]
    constants = [name for name, kind in kinds.items() if kind == "constant" != usual]
    shown = [*needed, *others[: max(0, MOST_LISTED - len(needed))]]
    shown += constants if len(shown) + len(constants) <= MOST_LISTED else []
    return {name: kind for name, kind in kinds.items() if name in shown}


def _counts(kinds: Mapping[str, Any]) -> str:
    counts = Counter(kind["type"] if isinstance(kind, dict) else kind for kind in kinds.values())
    return ", ".join(f"{n:,} {kind if n == 1 else _PLURALS[kind]}" for kind, n in counts.most_common())
