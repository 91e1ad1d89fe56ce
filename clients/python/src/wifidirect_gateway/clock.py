"""The clock of the host, as its messages tell it. Times of sessions are by it, not by the clock here."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from wifidirect.v1.session_pb2 import Session

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Dated(Protocol):
    """A message that says when it was sent."""

    @property
    def host_time(self) -> Timestamp: ...
    def HasField(self, name: str) -> bool: ...  # noqa: N802 the name is protobuf's


class HostClock:
    """Set by each message that is dated; between them it runs on with the monotonic clock."""

    def __init__(self) -> None:
        # What the clock of the host has beyond the monotonic one here, in seconds; None: nothing was heard yet.
        self._ahead: float | None = None

    def hear(self, message: object) -> bool:
        """Set it by a message of the host. False where that is not dated: hosts of version 0.1.0 do not."""
        dated = cast("Dated", message)
        if not hasattr(message, "host_time") or not dated.HasField("host_time"):
            return False
        self._ahead = _seconds(dated.host_time) - time.monotonic()
        return True

    def now(self) -> datetime:
        """Tell the time on the host; the time here, while nothing was heard."""
        return _EPOCH + timedelta(seconds=self._now())

    def lease_left(self, session: Session) -> float | None:
        """Tell how many seconds the lease has left, none below 0; None where the session has no lease."""
        if not session.HasField("lease_expire_time"):
            return None
        return max(0.0, _seconds(session.lease_expire_time) - self._now())

    def _now(self) -> float:
        return time.time() if self._ahead is None else time.monotonic() + self._ahead


def _seconds(timestamp: Timestamp) -> float:
    return timestamp.seconds + timestamp.nanos / 1e9
