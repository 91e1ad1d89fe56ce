"""A watch that reconnects: after an error that is not fatal, it resumes from its last cursor.

    attach --batches--> items            attach again, after a pause, from the last cursor
       |                                    ^
       +--error, not fatal--> Disconnected -+

Invariant: the cursor advances with the batch that carries it, before the items of the batch are
yielded. So no event is lost or repeated, however often the stream breaks.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

import grpc

from wifidirect.v1.device_pb2 import Device, DeviceEvent
from wifidirect.v1.session_pb2 import Session, SessionEvent

from .errors import GatewayError, Reason, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
E = TypeVar("E")
T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """The current state of everything.

    It replaces everything known so far, also in the middle of a watch.
    """

    items: Sequence[T]
    cursor: str


@dataclass(frozen=True, slots=True)
class Change(Generic[E]):
    """One event."""

    event: E

    cursor: str
    """Save it, after the event was handled, to resume a later watch without missing an event.
    Events of one batch share a cursor, so a resumed watch can repeat events that were already
    handled. Skip them by `epoch` and `sequence`."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Nothing happened until this cursor."""

    cursor: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The stream broke. The watch reconnects by itself."""

    error: GatewayError
    """If the reason is CURSOR_EXPIRED, events are lost, and a snapshot follows."""

    retry_in: float
    """Seconds."""


WatchItem: TypeAlias = Snapshot[T] | Change[E] | Bookmark | Disconnected
SessionWatchItem: TypeAlias = WatchItem[Session, SessionEvent]
DeviceWatchItem: TypeAlias = WatchItem[Device, DeviceEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """The pauses between attempts.

    Each is random between 0 and a bound, which doubles with each consecutive failure ("full
    jitter").
    """

    initial: float = 0.25
    """The bound after the first failure, in seconds."""

    max: float = 30.0
    """The largest bound, in seconds."""

    random: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        for name, bound in (("initial", self.initial), ("max", self.max)):
            if not bound >= 0:
                raise invalid(f"backoff.{name}", f"is {bound:g} s; it must be 0 s or more.")


BACKOFF_DEFAULT = Backoff()

# A retry can't succeed after these.
_FATAL = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)

BOOKMARK_DEFAULT = 10.0
"""How often a host sends a Bookmark if there are no events, in seconds, by default."""

# The longest pause that a host can request.
_RETRY_DELAY_MAX = 300.0

# A stream that lasted this long resets the pauses.
_HEALTHY_AFTER = 10.0

# More doublings would make no difference, and would overflow.
_DOUBLINGS_MAX = 64


class Batch(Protocol[T_co, E_co]):
    """A response of WatchSessions or WatchDevices."""

    @property
    def events(self) -> Sequence[E_co]: ...
    @property
    def cursor(self) -> str: ...
    @property
    def snapshot(self) -> Sequence[T_co]: ...
    @property
    def snapshot_complete(self) -> bool: ...


class Watching(Generic[T, E]):
    """The state of one watch, without calls. The loops of both clients use it."""

    def __init__(self, cursor: str, backoff: Backoff, clock: Callable[[], float] = time.monotonic) -> None:
        self.cursor = cursor
        self._backoff = backoff
        self._clock = clock
        self._failures = 0
        # The reason of the last failure. None if it had none, or if there was no failure.
        self._reason: Reason | str | None = None
        # When the first message of the stream came.
        self._first_message: float | None = None
        # The part of a snapshot that has come so far.
        self._things: list[T] = []

    def take(self, batch: Batch[T, E]) -> list[WatchItem[T, E]]:
        """Advance the cursor, and return the items of the batch."""
        if self._first_message is None:
            self._first_message = self._clock()
        self._things += batch.snapshot
        before = self.cursor
        self.cursor = batch.cursor or before
        items: list[WatchItem[T, E]] = []
        if batch.snapshot_complete:
            items.append(Snapshot(self._things, self.cursor))
            self._things = []
        last = len(batch.events) - 1
        items += [Change(event, self.cursor if at == last else before) for at, event in enumerate(batch.events)]
        if not items and not batch.snapshot and batch.cursor:
            items.append(Bookmark(self.cursor))
        return items

    def disconnected(self, error: GatewayError | None) -> Disconnected:
        """Decide when to attach again.

        Raise the error if a retry can't help. None means that the stream ended.
        """
        if error is None:
            error = GatewayError(grpc.StatusCode.UNAVAILABLE, "The host ended the watch.")
        if error.code in _FATAL:
            raise error
        if error.reason == Reason.CURSOR_EXPIRED:
            self.cursor = ""
        self._things = []
        if self._resets_pauses(error.reason):
            self._failures = 0
        self._first_message = None
        self._reason = error.reason
        doubled = self._backoff.initial * 2 ** min(self._failures, _DOUBLINGS_MAX)
        self._failures += 1
        jitter = self._backoff.random() * min(self._backoff.max, doubled)
        return Disconnected(error, min(error.retry_delay or 0.0, _RETRY_DELAY_MAX) + jitter)

    def _resets_pauses(self, reason: Reason | str | None) -> bool:
        """Return whether the pauses start again from the shortest.

        They do if the stream lasted for a while, or if the host answers again. One message is not
        enough, because a stream could break after each first message.
        """
        lasted = self._first_message is not None and self._clock() - self._first_message >= _HEALTHY_AFTER
        answers_again = reason is not None and self._reason is None
        # The first time, a request for a snapshot cures this error at once.
        has_expired = reason == Reason.CURSOR_EXPIRED and self._reason != Reason.CURSOR_EXPIRED
        return lasted or answers_again or has_expired
