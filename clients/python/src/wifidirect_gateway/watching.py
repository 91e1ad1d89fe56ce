"""A watch that goes on: it attaches again after every error that may heal, from where it was.

    attach --batches--> items            attach again, after a pause, from the last cursor
       |                                    ^
       +--error that may heal--> Disconnected

The rule that must not be broken: the cursor moves with the batch that carries it, before its items are given out; so
nothing is skipped and nothing comes twice, however often the stream breaks.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

import grpc

from wifidirect.v1.device_pb2 import Device, DeviceEvent
from wifidirect.v1.session_pb2 import Session, SessionEvent

from .errors import GatewayError, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
E = TypeVar("E")
T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """All there is. It replaces what was known, also when it comes in the middle of a watch."""

    items: Sequence[T]
    cursor: str


@dataclass(frozen=True, slots=True)
class Change(Generic[E]):
    """One thing that happened."""

    event: E

    cursor: str
    """Keep it to resume a later watch: nothing will be missed. Events that came together share a cursor, so those that
    were handled already may then come again; pass over them by `epoch` and `sequence`."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Nothing happened, up to this cursor."""

    cursor: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The stream broke, and will be attached again by itself: nothing to do."""

    error: GatewayError
    """With the reason CURSOR_EXPIRED, events are lost for good: a snapshot follows."""

    retry_in: float
    """Seconds."""


WatchItem: TypeAlias = Snapshot[T] | Change[E] | Bookmark | Disconnected
SessionWatchItem: TypeAlias = WatchItem[Session, SessionEvent]
DeviceWatchItem: TypeAlias = WatchItem[Device, DeviceEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """The pauses between attempts: from 0 to a bound, which doubles with each failure in a row ("full jitter")."""

    initial: float = 0.25
    """The bound after the first failure, in seconds."""

    max: float = 30.0
    """The largest bound, in seconds."""

    random: Callable[[], float] = random.random


BACKOFF_DEFAULT = Backoff()

# What trying again can't help against.
_FATAL = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)

# The longest pause that every timer can measure.
_PAUSE_MAX = 86_400.0

# Doublings beyond these would make no difference, and soon no float.
_DOUBLINGS_MAX = 64


class Batch(Protocol[T_co, E_co]):
    """A message of WatchSessions or WatchDevices."""

    @property
    def events(self) -> Sequence[E_co]: ...
    @property
    def cursor(self) -> str: ...
    @property
    def snapshot(self) -> Sequence[T_co]: ...
    @property
    def snapshot_complete(self) -> bool: ...


class Watching(Generic[T, E]):
    """Where one watch is. It calls nothing: the loops around it do."""

    def __init__(self, cursor: str, backoff: Backoff) -> None:
        self.cursor = cursor
        self._backoff = backoff
        self._failures = 0
        # What has come of a snapshot that is not complete.
        self._things: list[T] = []

    def take(self, batch: Batch[T, E]) -> list[WatchItem[T, E]]:
        """Move the cursor, and tell what has come."""
        self._failures = 0
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

    def broke(self, error: GatewayError | None) -> Disconnected:
        """Say when to attach again, or raise what trying again can't help against. None: the stream ended well."""
        if error is None:
            error = GatewayError(grpc.StatusCode.UNAVAILABLE, "The host ended the watch.")
        if error.code in _FATAL:
            raise error
        if error.reason == Reason.CURSOR_EXPIRED:
            self.cursor = ""
        self._things = []
        doubled = self._backoff.initial * 2 ** min(self._failures, _DOUBLINGS_MAX)
        self._failures += 1
        jitter = self._backoff.random() * min(self._backoff.max, doubled)
        return Disconnected(error, min((error.retry_delay or 0.0) + jitter, _PAUSE_MAX))
