"""How the blocking and the asyncio HeldSession read the messages of OpenSession."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import incomplete
from .options import check_seconds

if TYPE_CHECKING:
    from wifidirect.v1.session_pb2 import SessionEvent
    from wifidirect.v1.session_service_pb2 import OpenSessionResponse

HEARTBEAT_DEFAULT = 10.0

# The number of intervals without a message after which the host counts as dead.
_INTERVALS_MAX = 3


def patience(option: str, interval: float) -> float | None:
    """Return how long to wait for a message if one must come in each interval.

    None if the interval is 0.
    """
    if interval == 0:
        return None
    check_seconds(option, interval)
    return _INTERVALS_MAX * interval


def event_of(response: OpenSessionResponse) -> SessionEvent | None:
    """Return the event of a message, or None if the message is a heartbeat."""
    if not response.HasField("event"):
        return None
    if not response.event.HasField("session"):
        raise incomplete("the session of an event")
    return response.event
