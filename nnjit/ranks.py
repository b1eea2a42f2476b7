"""Join the processes, or *ranks*, that MPI started together for one training run.

`nnjit train` joins them if `mpiexec` or a similar launcher started it. Each rank computes its slice of every
batch; native code adds up the sums by calling `MPI_Allreduce` at its address. Without MPI there is one rank,
and nothing here imports a library.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from nnjit.errors import UserError

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")

SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
"""The variables in which MPI launchers give the number of processes."""


class World:
    """All ranks, as seen from one of them.

    Every rank must call the same methods in the same order.

    Args:
        communicator: mpi4py's, of all ranks; None if there is only one.
        table: passed to native code; None without MPI.
        own_table: the same, for a step that this rank takes alone.
    """

    def __init__(
        self,
        communicator: Any = None,
        table: np.ndarray | None = None,
        own_table: np.ndarray | None = None,
    ) -> None:
        self._communicator, self.table, self.own_table = communicator, table, own_table
        self.has_ended = False  # whether the ranks no longer need each other
        self.rank: int = 0 if communicator is None else communicator.rank
        self.size: int = 1 if communicator is None else communicator.size

    def of_first(self, value: T) -> T:
        """The value that the first rank has."""
        if self._communicator is None:
            return value
        found: T = self._communicator.bcast(value, root=0)
        return found

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Whether each of the flags is set on any rank."""
        if self._communicator is None:
            return flags
        return tuple(map(any, zip(*self._communicator.allgather(flags), strict=True)))

    def gather(self, value: T) -> Sequence[T]:
        """The values of all ranks on the first rank, nothing on the others."""
        if self._communicator is None:
            return [value]
        return self._communicator.gather(value, root=0) or ()

    def abort(self, status: int) -> NoReturn:
        """End all ranks now, with this exit status."""
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        if self._communicator is not None:
            self._communicator.Abort(status)
        raise SystemExit(status)


ALONE = World()
_joined = ALONE


def world() -> World:
    """The ranks that this process has joined; itself alone if it has joined none."""
    return _joined


def join() -> World:
    """Join the ranks that MPI has started together with this process, if it has started several.

    Raises:
        UserError: mpi4py is missing, or finds no MPI.
    """
    global _joined
    if _joined is ALONE and launched(os.environ) > 1:
        _joined = _joined_by_mpi()
    return _joined


def launched(environment: Mapping[str, str]) -> int:
    """The number of processes started together, from the launcher's environment variables.

    >>> launched({"PMI_SIZE": "4"}), launched({"PMIX_RANK": "0", "SLURM_NTASKS": "2"}), launched({})
    (4, 2, 1)
    """
    names = [*SIZES, *(["SLURM_NTASKS"] if "PMIX_RANK" in environment else [])]
    return max((int(environment[n]) for n in names if environment.get(n, "").isdecimal()), default=1)


def host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def _joined_by_mpi() -> World:
    from nnjit.codegen.library.rank_table import RankTable

    if sys.platform == "win32":  # an extension module does not lead to the functions of its libraries there
        raise UserError(
            f"{launched(os.environ)} processes were started together, and they cannot train together on "
            "Windows; use Linux or macOS, or start one process"
        )
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise UserError(
            f"{launched(os.environ)} processes were started together, which needs mpi4py: {error}; "
            "install it with: pip install 'nnjit[mpi]'"
        ) from None
    except RuntimeError as error:  # mpi4py without an MPI library
        raise UserError(f"mpi4py finds no MPI: {error}; install one, such as: pip install mpich") from None
    communicator = MPI.COMM_WORLD.Dup()
    if communicator.size == 1:
        raise UserError(
            f"{launched(os.environ)} processes were started together, but mpi4py's MPI "
            f"({MPI.get_vendor()[0]}) is not the launcher's, and each of them is alone; "
            "start them with the mpiexec of that MPI"
        )
    # A failure inside native code must end all ranks: nothing reads what the function returns.
    communicator.Set_errhandler(MPI.ERRORS_ARE_FATAL)
    # The extension module depends on the library of MPI, so its handle finds the library's functions.
    function = ctypes.CDLL(MPI.__file__).MPI_Allreduce
    address = ctypes.cast(function, ctypes.c_void_p).value or 0
    handles = map(MPI._handleof, (communicator, MPI.SUM, MPI.MAX, MPI.MIN, MPI.FLOAT, MPI.DOUBLE))
    mask = 2**64 - 1  # MPI_IN_PLACE is -1 in some libraries
    table = RankTable(communicator.rank, communicator.size, address, int(MPI.IN_PLACE) & mask, *handles)
    alone = table._replace(rank=0, ranks=1, communicator=MPI._handleof(MPI.COMM_SELF))
    return World(communicator, table.array(), alone.array())
