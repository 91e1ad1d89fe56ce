//! Messages as the protocol of the tests writes them.

use serde_json::{Value, json};
use wifi_direct_gateway::v1::{
    self, Device, DisconnectEvidence, DriverKind, HostState, NativeResult, Session,
    SessionEndReason, SessionEvent, SessionEventType, SessionState,
};
use wifi_direct_gateway::{Code, Error, SessionAt, SessionWatchItem, WatchItem};

pub fn watched(item: SessionWatchItem) -> Value {
    match item {
        WatchItem::Snapshot { items, cursor } => {
            let sessions: Vec<_> = items.iter().map(session).collect();
            json!({ "kind": "snapshot", "sessions": sessions, "cursor": cursor })
        }
        WatchItem::Change {
            event: change,
            cursor,
        } => {
            json!({ "kind": "event", "event": event(&change), "cursor": cursor })
        }
        WatchItem::Bookmark { cursor } => json!({ "kind": "bookmark", "cursor": cursor }),
        WatchItem::Disconnected {
            error: cause,
            retry_in,
        } => {
            let retry_in = u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX);
            json!({ "kind": "disconnected", "error": error(&cause), "retryInMs": retry_in })
        }
        _ => json!({ "kind": "unknown" }),
    }
}

pub fn event(event: &SessionEvent) -> Value {
    json!({
        "type": name(event.r#type, SessionEventType::as_str_name, "SESSION_EVENT_TYPE_"),
        "sequence": event.sequence,
        "session": event.session.as_ref().map(session),
        "native": event.native_result.as_ref().map(native),
    })
}

pub fn session_at(at: &SessionAt) -> Value {
    json!({ "session": session(&at.session), "cursor": at.cursor })
}

pub fn session(session: &Session) -> Value {
    let end = session.end.as_ref();
    json!({
        "id": session.session_id,
        "state": name(session.state, SessionState::as_str_name, "SESSION_STATE_"),
        "owner": session.owner,
        "reason": end.map(|end| name(end.reason, SessionEndReason::as_str_name, "SESSION_END_REASON_")),
        "evidence": end.map(|end| name(end.evidence, DisconnectEvidence::as_str_name, "DISCONNECT_EVIDENCE_")),
    })
}

pub fn device(device: &Device) -> Value {
    json!({ "device": {
        "address": device.device_address,
        "name": device.name,
        "isVisible": device.is_visible,
    } })
}

pub fn host(host: &v1::GetHostResponse) -> Value {
    let driver = host.driver.clone().unwrap_or_default();
    json!({
        "state": name(host.state, HostState::as_str_name, "HOST_STATE_"),
        "driver": name(driver.kind, DriverKind::as_str_name, "DRIVER_KIND_"),
    })
}

pub fn error(error: &Error) -> Value {
    let fields: Vec<_> = error
        .field_violations()
        .iter()
        .map(|wrong| &wrong.field)
        .collect();
    let retry_delay = error
        .retry_delay()
        .map(|delay| u64::try_from(delay.as_millis()).ok());
    json!({
        "code": code(error.code()),
        "message": error.to_string(),
        "reason": error.reason_name(),
        "metadata": error.metadata(),
        "native": error.native().map(native),
        "retryDelayMs": retry_delay,
        "fields": fields,
    })
}

fn native(native: &NativeResult) -> Value {
    json!({
        "function": native.function,
        "code": native.code,
        "name": native.name,
        "reasonCode": native.reason_code,
    })
}

/// `DeadlineExceeded` is `DEADLINE_EXCEEDED`.
fn code(code: Code) -> String {
    let name = format!("{code:?}");
    let capital = |(i, letter): (usize, char)| i > 0 && letter.is_uppercase();
    let letters = name.char_indices();
    let words = letters.flat_map(|at| capital(at).then_some('_').into_iter().chain([at.1]));
    words.collect::<String>().to_uppercase()
}

/// Without its prefix; the number in text where this version doesn't know the value.
fn name<Value: TryFrom<i32>>(
    value: i32,
    name_of: fn(&Value) -> &'static str,
    prefix: &str,
) -> String {
    match Value::try_from(value) {
        Ok(known) => {
            let name = name_of(&known);
            name.strip_prefix(prefix).unwrap_or(name).to_owned()
        }
        Err(_) => value.to_string(),
    }
}
