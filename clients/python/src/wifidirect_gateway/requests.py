"""Builds requests for the blocking client and the asyncio client. All times are in seconds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration

from wifidirect.v1.session_service_pb2 import (
    CancelOpenSessionRequest,
    CloseSessionRequest,
    ListSessionsRequest,
    OpenSessionRequest,
    RenewSessionRequest,
)

from .errors import incomplete

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wifidirect.v1.device_service_pb2 import UpdateDeviceVisibilityResponse
    from wifidirect.v1.session_pb2 import Session, SessionKind, SessionState

_DISCOVERY_TIMEOUT_DEFAULT = 15.0

# Added to the discovery for the timeout of the call.
_ANSWER_TIMEOUT = 10.0


class SessionAt(NamedTuple):
    """A session and a cursor.

    A watch from this cursor gets every event after this state of the session.
    """

    session: Session
    cursor: str


class _SessionResponse(Protocol):
    @property
    def session(self) -> Session: ...
    @property
    def cursor(self) -> str: ...
    def HasField(self, name: Literal["session"]) -> bool: ...  # noqa: N802 the name is protobuf's


def session_at(response: _SessionResponse) -> SessionAt:
    if not response.HasField("session"):
        raise incomplete("the session")
    return SessionAt(response.session, response.cursor)


def checked_visibility(response: UpdateDeviceVisibilityResponse) -> UpdateDeviceVisibilityResponse:
    if not response.HasField("device"):
        raise incomplete("the device")
    return response


def new_id() -> str:
    return str(uuid4())


def duration(seconds: float | None) -> Duration | None:
    """Convert seconds. None stays None, so that the host uses its default."""
    if seconds is None:
        return None
    result = Duration()
    result.FromNanoseconds(round(seconds * 1e9))
    return result


def deadline(timeout: float | None, default: float) -> float | None:
    """Return the timeout for gRPC, where None means none."""
    seconds = default if timeout is None else timeout
    return None if seconds == math.inf else seconds


def discovery_patience(discovery_timeout: float | None) -> float:
    return (_DISCOVERY_TIMEOUT_DEFAULT if discovery_timeout is None else discovery_timeout) + _ANSWER_TIMEOUT


def open_session(
    device_address: str,
    *,
    session_id: str,
    kind: SessionKind.ValueType,
    open_timeout: float | None,
    lease_ttl: float | None,
    heartbeat_interval: float,
    request_id: str | None,
) -> OpenSessionRequest:
    return OpenSessionRequest(
        session_id=session_id,
        device_address=device_address,
        kind=kind,
        open_timeout=duration(open_timeout),
        lease_ttl=duration(lease_ttl),
        heartbeat_interval=duration(heartbeat_interval or None),
        request_id=new_id() if request_id is None else request_id,
    )


def close_session(session_id: str, *, wait: bool) -> CloseSessionRequest:
    return CloseSessionRequest(session_id=session_id, wait_for_disconnect=wait, request_id=new_id())


def cancel_open_session(session_id: str) -> CancelOpenSessionRequest:
    return CancelOpenSessionRequest(session_id=session_id, request_id=new_id())


def renew_session(session_id: str, lease_ttl: float | None) -> RenewSessionRequest:
    return RenewSessionRequest(session_id=session_id, lease_ttl=duration(lease_ttl), request_id=new_id())


def list_sessions(
    states: Iterable[SessionState.ValueType], device_address: str, page_size: int, page_token: str
) -> ListSessionsRequest:
    return ListSessionsRequest(states=states, device_address=device_address, page_size=page_size, page_token=page_token)
