"""What the library tells, as the JSON of test/conformance/protocol.ts. Common to both agents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wifidirect_gateway import (
    Backoff,
    Bookmark,
    Change,
    Disconnected,
    DisconnectEvidence,
    DriverKind,
    GatewayError,
    HostState,
    SessionEndReason,
    SessionEventType,
    SessionState,
    Snapshot,
    Tls,
)

if TYPE_CHECKING:
    from wifidirect_gateway import (
        Device,
        GetHostResponse,
        NativeResult,
        Session,
        SessionAt,
        SessionEvent,
        SessionWatchItem,
    )

Item = dict[str, Any]
Command = dict[str, Any]


def connect_options(command: Command) -> Item:
    def file(name: str) -> Path | None:
        return Path(command[name]) if name in command else None

    tls = Tls(ca=file("caFile"), cert=file("certFile"), key=file("keyFile")) if "caFile" in command else None
    return {"tls": tls, "token": command.get("token")}


def open_options(command: Command) -> Item:
    return {
        "device_address": command["deviceAddress"],
        "session_id": command.get("sessionId", ""),
        "request_id": command.get("requestId"),
        "open_timeout": seconds(command.get("openTimeoutMs")),
        "lease_ttl": seconds(command.get("leaseTtlMs")),
    }


def watch_options(command: Command) -> Item:
    return {
        "cursor": command.get("cursor", ""),
        "session_ids": command.get("sessionIds", ()),
        "backoff": Backoff(initial=0.02, max=0.1),
    }


def seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def watch_item(item: SessionWatchItem) -> Item:
    match item:
        case Snapshot(sessions, cursor):
            return {"kind": "snapshot", "sessions": [session_item(each) for each in sessions], "cursor": cursor}
        case Change(event, cursor):
            return {"kind": "event", "event": event_item(event), "cursor": cursor}
        case Bookmark(cursor):
            return {"kind": "bookmark", "cursor": cursor}
        case Disconnected(error, retry_in):
            return {"kind": "disconnected", "error": error_item(error), "retryInMs": retry_in * 1000}


def session_at(at: SessionAt) -> Item:
    return {"session": session_item(at.session), "cursor": at.cursor}


def event_item(event: SessionEvent) -> Item:
    return {
        "type": SessionEventType.Name(event.type).removeprefix("SESSION_EVENT_TYPE_"),
        "sequence": event.sequence,
        "session": session_item(event.session),
        "native": native_item(event.native_result) if event.HasField("native_result") else None,
    }


def session_item(session: Session) -> Item:
    item = {
        "id": session.session_id,
        "state": SessionState.Name(session.state).removeprefix("SESSION_STATE_"),
        "owner": session.owner,
    }
    if session.HasField("end"):
        item["reason"] = SessionEndReason.Name(session.end.reason).removeprefix("SESSION_END_REASON_")
        item["evidence"] = DisconnectEvidence.Name(session.end.evidence).removeprefix("DISCONNECT_EVIDENCE_")
    return item


def device_item(device: Device) -> Item:
    is_visible = device.is_visible if device.HasField("is_visible") else None
    return {"device": {"address": device.device_address, "name": device.name, "isVisible": is_visible}}


def host_item(host: GetHostResponse, health: str) -> Item:
    state = HostState.Name(host.state).removeprefix("HOST_STATE_")
    driver = DriverKind.Name(host.driver.kind).removeprefix("DRIVER_KIND_")
    return {"host": {"state": state, "driver": driver}, "health": health}


def error_item(error: Exception) -> Item:
    if not isinstance(error, GatewayError):
        return {"code": "NOT_TYPED", "reason": repr(error)}
    return {
        "code": error.code.name,
        "reason": error.reason,
        "metadata": dict(error.metadata),
        "native": native_item(error.native) if error.native else None,
        "retryDelayMs": None if error.retry_delay is None else error.retry_delay * 1000,
        "fields": [violation.field for violation in error.field_violations],
    }


def native_item(native: NativeResult) -> Item:
    return {
        "function": native.function,
        "code": native.code,
        "name": native.name,
        "reasonCode": native.reason_code,
    }
