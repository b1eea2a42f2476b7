"""`environment.json`: versions, machine and start time of a run."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile
from nnjit.version import VERSION


@dataclass(frozen=True)
class Environment(JsonFile):
    """Versions of nnjit and its libraries, the machine, and when training started.

    Args:
        cores: number of cores that the process may use.
        started: ISO 8601, UTC.
    """

    file_name: ClassVar[str] = file_names.ENVIRONMENT

    nnjit: str | None = None
    python: str | None = None
    numba: str | None = None
    llvmlite: str | None = None
    numpy: str | None = None
    scipy: str | None = None
    platform: str | None = None
    cpu: str | None = None
    cores: int | None = None
    started: str | None = None

    @classmethod
    def here(cls, *, cores: int) -> Self:
        """The environment of this process."""
        import llvmlite
        import llvmlite.binding as llvm
        import numba
        import numpy
        import scipy

        return cls(
            nnjit=VERSION,
            python=platform.python_version(),
            numba=numba.__version__,
            llvmlite=llvmlite.__version__,
            numpy=numpy.__version__,
            scipy=scipy.__version__,
            platform=platform.platform(),
            cpu=_cpu_name() or llvm.get_host_cpu_name(),
            cores=cores,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def _cpu_name() -> str:
    """The name that Linux has for an x86 processor; empty elsewhere, where LLVM has one."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
