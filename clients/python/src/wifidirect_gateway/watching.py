"""A watch that goes on: it attaches again after every error that may heal, from where it was.

    attach --batches--> items            attach again, after a pause, from the last cursor
       |                                    ^
       +--error that may heal--> Disconnected

The rule that must not be broken: the cursor moves with the batch that carries it, before its items are given out; so
nothing is skipped and nothing comes twice, however often the stream breaks.
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
    """All there is. It replaces what was known, also when it comes in the middle of a watch."""

    items: Sequence[T]
    cursor: str


@dataclass(frozen=True, slots=True)
class Change(Generic[E]):
    """One thing that happened."""

    event: E

    cursor: str
    """Keep it, once the event is dealt with, to resume a later watch: nothing will be missed. Events that came together
    share a cursor, so a program that ends in the middle of them gets some again; pass over those by `epoch` and
    `sequence`."""


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

    def __post_init__(self) -> None:
        for name, bound in (("initial", self.initial), ("max", self.max)):
            if not bound >= 0:
                raise invalid(f"backoff.{name}", f"is {bound:g} s; it has to be 0 s or more.")


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

BOOKMARK_DEFAULT = 10.0
"""How often a host sends a Bookmark in silence, in seconds, where the watch doesn't say."""

# How long a watch waits at most because the host asks for it.
_RETRY_DELAY_MAX = 300.0

# A stream that stood for so long was well: the pauses start over.
_HEALTHY_AFTER = 10.0

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

    def __init__(self, cursor: str, backoff: Backoff, clock: Callable[[], float] = time.monotonic) -> None:
        self.cursor = cursor
        self._backoff = backoff
        self._clock = clock
        self._failures = 0
        # Of the failure before; None: the host did not say why, or there was none.
        self._reason: Reason | str | None = None
        # When the first message of the stream came.
        self._stands_since: float | None = None
        # What has come of a snapshot that is not complete.
        self._things: list[T] = []

    def take(self, batch: Batch[T, E]) -> list[WatchItem[T, E]]:
        """Move the cursor, and tell what has come."""
        if self._stands_since is None:
            self._stands_since = self._clock()
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
        if self._starts_over(error.reason):
            self._failures = 0
        self._stands_since = None
        self._reason = error.reason
        doubled = self._backoff.initial * 2 ** min(self._failures, _DOUBLINGS_MAX)
        self._failures += 1
        jitter = self._backoff.random() * min(self._backoff.max, doubled)
        return Disconnected(error, min(error.retry_delay or 0.0, _RETRY_DELAY_MAX) + jitter)

    def _starts_over(self, reason: Reason | str | None) -> bool:
        """Whether the pauses do: the stream stood for a while, or a host that did not answer now does.

        A message alone proves nothing: a stream that breaks right after it would be attached to again and again.
        """
        stood = self._stands_since is not None and self._clock() - self._stands_since >= _HEALTHY_AFTER
        answers_again = reason is not None and self._reason is None
        # Asking for a snapshot instead heals this one at once, but not if it comes again.
        has_expired = reason == Reason.CURSOR_EXPIRED and self._reason != Reason.CURSOR_EXPIRED
        return stood or answers_again or has_expired
