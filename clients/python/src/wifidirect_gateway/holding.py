"""What the blocking and the asyncio HeldSession have in common: how the messages of OpenSession are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import incomplete
from .options import check_seconds

if TYPE_CHECKING:
    from wifidirect.v1.session_pb2 import SessionEvent
    from wifidirect.v1.session_service_pb2 import OpenSessionResponse

HEARTBEAT_DEFAULT = 10.0

# A host that promised a message in each interval is taken for dead after so many without one.
_INTERVALS_MAX = 3


def patience(option: str, interval: float) -> float | None:
    """Tell for how long a message is waited for, where one was to come in each interval; None: none was to (0)."""
    if interval == 0:
        return None
    check_seconds(option, interval)
    return _INTERVALS_MAX * interval


def event_of(response: OpenSessionResponse) -> SessionEvent | None:
    """Give out the event of a message; None: it is a sign of life."""
    if not response.HasField("event"):
        return None
    if not response.event.HasField("session"):
        raise incomplete("the session of an event")
    return response.event
