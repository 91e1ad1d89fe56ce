"""The client library of the Wi-Fi Direct Gateway.

It opens, closes and watches sessions of Windows hosts.

`connect` returns a blocking client. `wifidirect_gateway.aio.connect` returns a client for asyncio.
Both raise GatewayError. The messages are those of `wifidirect.v1`; its .proto files document them.
"""

from wifidirect.v1.device_pb2 import Device, DeviceEvent, DeviceEventType
from wifidirect.v1.error_pb2 import ErrorReason, NativeResult, SessionError
from wifidirect.v1.host_service_pb2 import Driver, DriverKind, GetHostResponse, HostState, Limits, MissingFunction
from wifidirect.v1.session_pb2 import (
    DisconnectEvidence,
    EventCause,
    EventSource,
    NetworkInterface,
    Session,
    SessionEnd,
    SessionEndReason,
    SessionEvent,
    SessionEventType,
    SessionKind,
    SessionState,
)

from .client import Client, connect
from .errors import FieldViolation, GatewayError, Reason
from .names import name_of
from .options import Tls
from .pem import Pem
from .requests import SessionAt
from .sessions import HeldSession
from .watch import Watch
from .watching import Backoff, Bookmark, Change, DeviceWatchItem, Disconnected, SessionWatchItem, Snapshot

__all__ = [
    "Backoff",
    "Bookmark",
    "Change",
    "Client",
    "Device",
    "DeviceEvent",
    "DeviceEventType",
    "DeviceWatchItem",
    "DisconnectEvidence",
    "Disconnected",
    "Driver",
    "DriverKind",
    "ErrorReason",
    "EventCause",
    "EventSource",
    "FieldViolation",
    "GatewayError",
    "GetHostResponse",
    "HeldSession",
    "HostState",
    "Limits",
    "MissingFunction",
    "NativeResult",
    "NetworkInterface",
    "Pem",
    "Reason",
    "Session",
    "SessionAt",
    "SessionEnd",
    "SessionEndReason",
    "SessionError",
    "SessionEvent",
    "SessionEventType",
    "SessionKind",
    "SessionState",
    "SessionWatchItem",
    "Snapshot",
    "Tls",
    "Watch",
    "connect",
    "name_of",
]
