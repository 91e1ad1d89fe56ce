"""GatewayError, the error of this package: a gRPC status with its details."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc.aio import AioRpcError

from wifidirect.v1.error_pb2 import NativeResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.any_pb2 import Any


class Reason(StrEnum):
    """Why a host failed a call: the names of ErrorReason. error.proto documents each."""

    INVALID_FIELD = "INVALID_FIELD"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    SESSION_ALREADY_EXISTS = "SESSION_ALREADY_EXISTS"
    SESSION_NOT_FOUND = "SESSION_NOT_FOUND"
    DEVICE_NOT_FOUND = "DEVICE_NOT_FOUND"
    SESSION_STATE_INVALID = "SESSION_STATE_INVALID"
    WIFI_DIRECT_DISABLED_BY_POLICY = "WIFI_DIRECT_DISABLED_BY_POLICY"
    WLAN_SERVICE_NOT_RUNNING = "WLAN_SERVICE_NOT_RUNNING"
    WLAN_SERVICE_UNREACHABLE = "WLAN_SERVICE_UNREACHABLE"
    NATIVE_LIMIT_REACHED = "NATIVE_LIMIT_REACHED"
    NATIVE_HANDLE_LOST = "NATIVE_HANDLE_LOST"
    HOST_ACCESS_DENIED = "HOST_ACCESS_DENIED"
    DEVICE_NOT_PAIRED = "DEVICE_NOT_PAIRED"
    OPEN_FAILED = "OPEN_FAILED"
    OPEN_TIMED_OUT = "OPEN_TIMED_OUT"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    HOST_STOPPING = "HOST_STOPPING"
    DRIVER_NOT_AVAILABLE = "DRIVER_NOT_AVAILABLE"
    NATIVE_ERROR = "NATIVE_ERROR"
    INTERNAL = "INTERNAL"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    WATCHER_TOO_SLOW = "WATCHER_TOO_SLOW"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    HOST_RESTARTED = "HOST_RESTARTED"


class FieldViolation(NamedTuple):
    """An invalid field of a request: its path as in the .proto files, and what is wrong with it."""

    field: str
    description: str


class GatewayError(Exception):
    """An error of the host, or of the connection to it."""

    code: grpc.StatusCode
    """The gRPC status code."""

    reason: Reason | str | None
    """Why the host failed the call. A plain str if the host is newer and this version does not know
    the reason. None if the error does not come from the host: the connection broke, the call timed
    out, or this program cancelled it."""

    metadata: Mapping[str, str]
    """The variable parts of the message. error.proto lists the keys of each reason."""

    native: NativeResult | None
    """The result of the Windows function, or of its callback, if that caused the error."""

    retry_delay: float | None
    """How many seconds to wait before a retry, if the host sent it. Never negative."""

    field_violations: Sequence[FieldViolation]
    """The invalid fields of the request. Empty unless the reason is INVALID_FIELD."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: Reason | str | None = None,
        metadata: Mapping[str, str] | None = None,
        native: NativeResult | None = None,
        retry_delay: float | None = None,
        field_violations: Sequence[FieldViolation] = (),
    ) -> None:
        super().__init__(f"{reason or code.name}: {message or 'the call failed'}")
        self.code = code
        self.reason = reason
        self.metadata = metadata or {}
        self.native = native
        self.retry_delay = retry_delay
        self.field_violations = field_violations


def invalid(option: str, description: str) -> GatewayError:
    """Return the error for an invalid option."""
    return GatewayError(grpc.StatusCode.INVALID_ARGUMENT, f"{option}: {description}")


def incomplete(what: str) -> GatewayError:
    """Return the error for a response in which a required part is missing."""
    return GatewayError(grpc.StatusCode.INTERNAL, f"The response of the host does not contain {what}.")


def unparsable() -> GatewayError:
    """Return the error for a message that can't be parsed."""
    return GatewayError(grpc.StatusCode.INTERNAL, "A message of the host can't be parsed.")


def silent(seconds: float) -> GatewayError:
    """Return the error for a stream on which the host is silent."""
    return GatewayError(grpc.StatusCode.UNAVAILABLE, f"The host has been silent for {seconds:g} s.")


_DOMAIN = "wifidirect.v1"
_REASONS = frozenset(Reason)


def decode(error: grpc.RpcError, connect_timeout: float = 10.0) -> GatewayError:
    """Convert an error of gRPC.

    `connect_timeout` is the timeout of the attempt to connect, for the message.

    Ignores details that can't be parsed or that come from a proxy, because the status alone is
    usable.
    """
    # The error of asyncio has the methods of Call, but is not one.
    if not isinstance(error, grpc.Call | AioRpcError):
        return GatewayError(grpc.StatusCode.UNKNOWN, str(error))
    details = _Details()
    try:
        for name, value in error.trailing_metadata() or ():
            if name == "grpc-status-details-bin":
                # Use only the details, because a proxy may have set another code or message.
                for detail in Status.FromString(cast("bytes", value)).details:
                    details.take(detail)
    except DecodeError:
        details = _Details()
    text = error.details() or ""
    code = error.code()
    if code is grpc.StatusCode.UNKNOWN and _NOT_GRPC in text:
        code = grpc.StatusCode.UNAVAILABLE
    return GatewayError(code, _explained(text, connect_timeout), **vars(details))


# The response is not gRPC, for example that of a proxy without a host. If its body comes quickly,
# the core loses its HTTP status.
_NOT_GRPC = "Stream removed (Data frame with END_STREAM"


# Explanations for errors of connections whose text in gRPC hides the cause.
_EXPLANATIONS = {
    "timed out before receiving SETTINGS": "no answer within {:g} s",
    "FD Shutdown": "no answer within {:g} s",
    "Handshake timed out": "no answer within {:g} s, in the TLS handshake",
    "Handshake read failed": "the connection was cut, or no answer within {:g} s, in the TLS handshake",
    "CERTIFICATE_VERIFY_FAILED": "the host's certificate is not signed by a CA of tls.ca",
    "Hostname Verification": "the host's certificate is not for this name; see tls.server_name",
    _NOT_GRPC: "the response is not gRPC",
    "WRONG_VERSION_NUMBER": "the host does not use TLS",
    "HANDSHAKE_FAILURE": "no common algorithm; a host with an Ed25519 certificate needs one with ECDSA or RSA instead",
    "Failed to create security handshaker": "tls: cert and key don't belong together, or are not supported",
    "empty address list": "tls: cert and key don't belong together, or are not supported",
}


def _explained(details: str, connect_timeout: float) -> str:
    for sign, explanation in _EXPLANATIONS.items():
        if sign in details:
            return f"{explanation.format(connect_timeout)} ({details})"
    return details


class _Details:
    def __init__(self) -> None:
        self.reason: Reason | str | None = None
        self.metadata: Mapping[str, str] = {}
        self.native: NativeResult | None = None
        self.retry_delay: float | None = None
        self.field_violations: Sequence[FieldViolation] = ()

    def take(self, detail: Any) -> None:
        if detail.Is(ErrorInfo.DESCRIPTOR):
            info = ErrorInfo.FromString(detail.value)
            if info.domain == _DOMAIN:
                self.reason = Reason(info.reason) if info.reason in _REASONS else info.reason
                self.metadata = dict(info.metadata)
        elif detail.Is(BadRequest.DESCRIPTOR):
            violations = BadRequest.FromString(detail.value).field_violations
            self.field_violations = [FieldViolation(each.field, each.description) for each in violations]
        elif detail.Is(RetryInfo.DESCRIPTOR):
            delay = RetryInfo.FromString(detail.value).retry_delay
            seconds = delay.seconds + delay.nanos / 1e9
            self.retry_delay = seconds if seconds >= 0 else None
        elif detail.Is(NativeResult.DESCRIPTOR):
            self.native = NativeResult.FromString(detail.value)
