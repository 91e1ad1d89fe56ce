"""A timeout for reads of gRPC's blocking streams, which have none."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(eq=False, slots=True)
class _Wait:
    ends_at: float
    give_up: Callable[[], None]


class Watchdog:
    """One thread for all waits of a client.

    It runs only while there are waits, and shortly after.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._waits: set[_Wait] = set()
        self._is_closed = False
        # When the thread wakes next. None if there is no thread.
        self._wakes_at: float | None = None

    @contextmanager
    def bound(self, seconds: float, give_up: Callable[[], None]) -> Iterator[None]:
        """Call `give_up` from another thread if the block takes longer."""
        wait = _Wait(time.monotonic() + seconds, give_up)
        with self._changed:
            self._waits.add(wait)
            if self._wakes_at is None:
                self._wakes_at = wait.ends_at
                Thread(target=self._run, name="wifidirect-gateway-watchdog", daemon=True).start()
            elif wait.ends_at < self._wakes_at:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._waits.discard(wait)
                if self._is_closed:
                    self._changed.notify()

    def close(self) -> None:
        """Let the thread end as soon as there are no waits."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waits:
                    self._wakes_at = None
                    return
                self._wakes_at = min(wait.ends_at for wait in self._waits)
                self._changed.wait(self._wakes_at - time.monotonic())
                now = time.monotonic()
                overdue = [wait for wait in self._waits if wait.ends_at <= now]
                self._waits.difference_update(overdue)
            for wait in overdue:
                wait.give_up()
