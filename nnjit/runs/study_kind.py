"""The kinds of study, which are the names of their members' folder too."""

from __future__ import annotations

from typing import Literal, get_args

StudyKind = Literal["replicas", "folds"]
KINDS: tuple[StudyKind, ...] = get_args(StudyKind)


def member_word(kind: StudyKind) -> str:
    """What one member of a study is called: `replica` or `fold`."""
    return kind.removesuffix("s")
