"""The host's clock, to which the times of sessions refer. The clock of this machine may differ."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from wifidirect.v1.session_pb2 import Session

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Dated(Protocol):
    """A message that contains the time when it was sent."""

    @property
    def host_time(self) -> Timestamp: ...
    def HasField(self, name: str) -> bool: ...  # noqa: N802 the name is protobuf's


class HostClock:
    """The time of the last message of the host plus the monotonic time since then."""

    def __init__(self) -> None:
        # The host's clock minus the monotonic clock, in seconds. None before the first message.
        self._ahead: float | None = None

    def observe(self, message: object) -> bool:
        """Set the clock from a message.

        Return False if it has no time: hosts of version 0.1.0 do not send it.
        """
        dated = cast("Dated", message)
        if not hasattr(message, "host_time") or not dated.HasField("host_time"):
            return False
        self._ahead = _seconds(dated.host_time) - time.monotonic()
        return True

    def now(self) -> datetime:
        """Return the time on the host or, before the first message, the time of this machine."""
        return _EPOCH + timedelta(seconds=self._now())

    def lease_left(self, session: Session) -> float | None:
        """Return the seconds left of the lease, at least 0, or None if the session has no lease."""
        if not session.HasField("lease_expire_time"):
            return None
        return max(0.0, _seconds(session.lease_expire_time) - self._now())

    def _now(self) -> float:
        return time.time() if self._ahead is None else time.monotonic() + self._ahead


def _seconds(timestamp: Timestamp) -> float:
    return timestamp.seconds + timestamp.nanos / 1e9
