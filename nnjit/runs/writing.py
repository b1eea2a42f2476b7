"""Write files of a run folder atomically."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from nnjit.durable import replace_file


def write_atomically(path: Path, content: bytes | str) -> None:
    """Replace a file by `content` in one step: readers, and crashes, see the old or the new one.

    Raises:
        OSError: the file cannot be written; `filename` is its path.
    """
    replace_file(path, content.encode() if isinstance(content, str) else content)


def json_bytes(content: Any) -> bytes:
    """Encode as JSON that any reader accepts: non-finite numbers become null."""
    return (json.dumps(_finite(content), indent=2, ensure_ascii=False) + "\n").encode()


def json_text(content: Any) -> str:
    """Encode as JSON on one line."""
    return json.dumps(_finite(content), ensure_ascii=False)


def as_read(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a JSON file as it would be read: lists, and null for non-finite numbers."""
    found: dict[str, Any] = json.loads(json_bytes(content))
    return found


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
