"""Run calls on the workers of a Dask cluster (extra `dask`).

Dask repeats the call of a lost worker on another. A running call reports to this process with events and gets
the answers through a queue; a call that gets no answer ends.
"""

from __future__ import annotations

import logging
import pkgutil
import queue
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from nnjit.cluster.engine import Engine, Lost, Shared, Tell
from nnjit.cluster.source import DIGEST
from nnjit.errors import UserError, counted
from nnjit.version import VERSION

if TYPE_CHECKING:
    from distributed import Client

Result = TypeVar("Result")

ADDRESS = re.compile(r"(dask|tcp|tls)://([^/\s]+:\d+)/?")
VERSION_OF = "nnjit.version:VERSION"
DIGEST_OF = "nnjit.cluster.source:DIGEST"
CONNECT_SECONDS = 10
WORKER_SECONDS = 10  # until the first worker is there
ANSWER_SECONDS = 30  # after which a worker assumes that this process is dead
MOST_TRIES = 5  # of a call whose data is lost
STOP_SECONDS = 5  # for calls that must end
_DONE = object()


@contextmanager
def connected(address: str, shared: Shared, slots: int | None) -> Iterator[DaskEngine[Shared]]:
    """An engine for the cluster at an address such as `dask://10.0.0.5:8786`, after checking its workers.

    Raises:
        UserError: the cluster cannot be reached, or has workers without exactly this nnjit.
    """
    scheduler = _scheduler(address)
    try:
        from distributed import Client
    except ImportError:
        raise UserError(f"{address} needs Dask: pip install 'nnjit[dask]'") from None
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # our messages say the same
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(
            f"{address}: no cluster can be reached there ({_first_line(error)}); start one with "
            "`dask scheduler`, and its workers with `dask worker`"
        ) from None
    with client:
        _check_workers(client, address)
        with _engine(client, address, shared, slots) as engine:
            yield engine


class DaskEngine(Engine[Shared]):
    """Runs calls on the workers of a cluster.

    Args:
        shared: the object that the calls share. Workers get it from each other, and from here again if all
            copies are lost: Dask drops copies that it considers redundant.
        topic: the topic of this engine's events.
    """

    def __init__(self, client: Client, address: str, shared: Shared, slots: int, topic: str) -> None:
        self._client, self._address, self._shared, self._topic = client, address, shared, topic
        self.slots = slots
        self._lock = threading.Lock()
        self._told: dict[str, queue.SimpleQueue[Any]] = {}
        self._scattering = threading.Lock()
        self._scattered = self._scatter()
        client.subscribe_topic(topic, self._take)

    def close(self) -> None:
        """Stop taking events."""
        if self._client.status == "running":
            self._client.unsubscribe_topic(self._topic)

    def call(self, work: Callable[..., Result], *arguments: Any, tell: Tell) -> Result:
        with self._errors():
            for _ in range(MOST_TRIES):
                scattered = self._scattered
                try:
                    return self._call(work, scattered, arguments, tell)
                except CancelledError:
                    self._scatter_again(scattered)
        raise Lost("each worker that had its data was lost")

    def _call(
        self, work: Callable[..., Result], scattered: Any, arguments: tuple[Any, ...], tell: Tell
    ) -> Result:
        name = f"nnjit-{uuid.uuid4().hex}"
        told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with self._lock:
            self._told[name] = told
        try:
            given = (VERSION, work, scattered, arguments, (self._topic, name))
            future = self._client.submit(_perform, *given, key=name, pure=False)
            future.add_done_callback(lambda _: told.put(_DONE))
            self._answer(future, told, tell)
            result: Result = future.result()
            return result
        finally:
            with self._lock:
                del self._told[name]

    def _scatter(self) -> Any:
        return self._client.scatter(self._shared, broadcast=True, hash=False)

    def _scatter_again(self, lost: Any) -> None:
        """Give the workers the data again, unless another thread has."""
        with self._scattering:
            if self._scattered is lost:
                self._scattered = self._scatter()

    def _answer(self, future: Any, told: queue.SimpleQueue[Any], tell: Tell) -> None:
        """Answer a call until it is done; give up on one that does not end when told to."""
        from distributed import Queue

        end = float("inf")
        while time.monotonic() < end:
            try:
                message = told.get(timeout=0.2)
            except queue.Empty:
                message = None
            if message is _DONE:
                return
            goes_on = tell(None if message is None else message["value"])
            if message is not None:
                Queue(message["answer"], client=self._client).put(goes_on)
            elif not goes_on and end == float("inf"):
                end = time.monotonic() + STOP_SECONDS
        future.cancel(force=True)
        raise Lost("it did not end when it was asked to")

    def _take(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Pass an event to the thread that waits for its call; called by Dask's own thread."""
        message = event[1]
        with self._lock:
            told = self._told.get(message["call"])
        if told is not None:
            told.put(message)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn Dask's errors into one message."""
        from distributed import KilledWorker

        try:
            yield
        except KilledWorker:
            raise Lost("each worker that ran it was lost; is their memory large enough?") from None
        except ImportError as error:
            raise UserError(
                f"{self._address}: a worker cannot import nnjit {VERSION} ({error}); install it there"
            ) from None
        except (OSError, TimeoutError) as error:
            raise UserError(
                f"{self._address}: the connection to the cluster was lost ({_first_line(error)}); what is "
                "finished is saved, and the same command with --resume DIR continues"
            ) from None


@contextmanager
def _engine(client: Client, address: str, shared: Shared, slots: int | None) -> Iterator[DaskEngine[Shared]]:
    slots = slots or sum(client.nthreads().values())
    engine = DaskEngine(client, address, shared, slots, f"nnjit-{uuid.uuid4().hex}")
    try:
        yield engine
    finally:
        engine.close()


def _scheduler(address: str) -> str:
    """The address in Dask's form."""
    found = ADDRESS.fullmatch(address)
    if found is None:
        raise UserError(f'engine: expected dask://HOST:PORT, such as dask://10.0.0.5:8786, got "{address}"')
    protocol, place = found.groups()
    return f"{'tcp' if protocol == 'dask' else protocol}://{place}"


def _check_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError:
        raise UserError(f"{address}: the cluster has no workers; start some with `dask worker`") from None
    for place, here, word in ((VERSION_OF, VERSION, "nnjit"), (DIGEST_OF, DIGEST, "nnjit of source")):
        # A function of the standard library works on workers without nnjit, too.
        found = client.run(pkgutil.resolve_name, place, on_error="return")
        others = {worker: other for worker, other in found.items() if other != here}
        if others:
            worker, other = next(iter(others.items()))
            there = "no such nnjit" if isinstance(other, Exception) else f"{word} {other}"
            rest = f" and {counted(len(others) - 1, 'other')}" if len(others) > 1 else ""
            raise UserError(
                f"{address}: the worker {worker}{rest} has {there}, and this machine has {word} {here}; "
                "install the same there"
            )


def _perform(
    version: str,
    work: Callable[..., Result],
    shared: Any,
    arguments: tuple[Any, ...],
    place: tuple[str, str],
) -> Result:
    """Run a call on a worker."""
    if version != VERSION:  # on a worker that joined later
        raise UserError(f"a worker has nnjit {VERSION}, and the process that asks nnjit {version}")
    teller = _Teller(*place)
    try:
        return work(shared, *arguments, teller.tell)
    finally:
        teller.close()


class _Teller:
    """Reports a call's progress to the calling process, and waits for the answer."""

    def __init__(self, topic: str, call: str) -> None:
        from distributed import Queue, get_worker

        self._topic, self._call = topic, call
        self._answer = f"{call}-{uuid.uuid4().hex}"  # of this try: an earlier one may have left an answer
        self._worker, self._queue = get_worker(), Queue(self._answer)

    def tell(self, value: Any) -> bool:
        self._worker.log_event(self._topic, {"call": self._call, "answer": self._answer, "value": value})
        try:
            return bool(self._queue.get(timeout=ANSWER_SECONDS))
        except TimeoutError:
            return False

    def close(self) -> None:
        self._queue.close()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
