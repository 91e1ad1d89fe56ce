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
    name_of,
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
    options: Item = {"tls": tls, "token": command.get("token")}
    if command.get("tokenFails"):
        options["token"] = no_token
    if "metadata" in command:
        options["metadata"] = lambda: command["metadata"]
    for name, option in (("timeoutMs", "timeout"), ("connectTimeoutMs", "connect_timeout")):
        if name in command:
            options[option] = seconds(command[name])
    return options


def no_token() -> str:
    raise RuntimeError("the vault is sealed")


def open_options(command: Command) -> Item:
    options: Item = {
        "device_address": command["deviceAddress"],
        "session_id": command.get("sessionId", ""),
        "request_id": command.get("requestId"),
        "open_timeout": seconds(command.get("openTimeoutMs")),
        "lease_ttl": seconds(command.get("leaseTtlMs")),
    }
    if "heartbeatIntervalMs" in command:
        options["heartbeat_interval"] = seconds(command["heartbeatIntervalMs"])
    return options


def watch_options(command: Command) -> Item:
    initial, largest = command.get("backoffInitialMs", 20), command.get("backoffMaxMs", 100)
    return {
        "cursor": command.get("cursor", ""),
        "session_ids": command.get("sessionIds", ()),
        "bookmark_interval": seconds(command.get("bookmarkIntervalMs")),
        "backoff": Backoff(initial=initial / 1000, max=largest / 1000),
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
        "type": name_of(SessionEventType, event.type),
        "sequence": event.sequence,
        "session": session_item(event.session),
        "native": native_item(event.native_result) if event.HasField("native_result") else None,
    }


def session_item(session: Session) -> Item:
    item = {
        "id": session.session_id,
        "state": name_of(SessionState, session.state),
        "owner": session.owner,
    }
    if session.HasField("end"):
        item["reason"] = name_of(SessionEndReason, session.end.reason)
        item["evidence"] = name_of(DisconnectEvidence, session.end.evidence)
    return item


def device_item(device: Device) -> Item:
    is_visible = device.is_visible if device.HasField("is_visible") else None
    return {"device": {"address": device.device_address, "name": device.name, "isVisible": is_visible}}


def host_item(host: GetHostResponse, health: str) -> Item:
    state = name_of(HostState, host.state)
    driver = name_of(DriverKind, host.driver.kind)
    return {"host": {"state": state, "driver": driver}, "health": health}


def error_item(error: Exception) -> Item:
    if not isinstance(error, GatewayError):
        return {"code": "NOT_TYPED", "reason": repr(error)}
    return {
        "code": error.code.name,
        "reason": error.reason,
        "message": str(error),
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
