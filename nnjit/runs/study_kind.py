"""The kinds of study, which also name the folders of their members."""

from __future__ import annotations

from typing import Literal, get_args

StudyKind = Literal["replicas", "folds"]
KINDS: tuple[StudyKind, ...] = get_args(StudyKind)


def member_word(kind: StudyKind) -> str:
    """The word for one member of a study: `replica` or `fold`."""
    return kind.removesuffix("s")
