"""Write files of a run folder, each whole or not at all."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from nnjit.durable import replace_file


def write_atomically(path: Path, content: bytes | str) -> None:
    """Replace a file by `content` in one step: a reader, or a crash, sees the old or the new one.

    Raises:
        OSError: it cannot be written; `filename` is the path.
    """
    replace_file(path, content.encode() if isinstance(content, str) else content)


def json_bytes(content: Any) -> bytes:
    """JSON that any reader takes: a number that is not finite becomes null."""
    return (json.dumps(_finite(content), indent=2, ensure_ascii=False) + "\n").encode()


def json_text(content: Any) -> str:
    """The same on one line."""
    return json.dumps(_finite(content), ensure_ascii=False)


def as_read(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a JSON file as reading it gives it: plain lists, and null for what is not finite."""
    found: dict[str, Any] = json.loads(json_bytes(content))
    return found


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
