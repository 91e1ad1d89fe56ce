package io.github.wifidirectgateway.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.wifidirectgateway.GatewayException;
import io.github.wifidirectgateway.SessionAt;
import io.github.wifidirectgateway.WatchItem;
import io.github.wifidirectgateway.v1.Device;
import io.github.wifidirectgateway.v1.GetHostResponse;
import io.github.wifidirectgateway.v1.NativeResult;
import io.github.wifidirectgateway.v1.Session;
import io.github.wifidirectgateway.v1.SessionEvent;
import io.grpc.health.v1.HealthCheckResponse;

/** Messages as the agents of all languages tell them. */
final class Items {
    private Items() {}

    static JsonObject of(String key, JsonElement value) {
        var item = new JsonObject();
        item.add(key, value);
        return item;
    }

    static JsonObject watched(WatchItem<Session, SessionEvent> watched) {
        var item = new JsonObject();
        if (watched instanceof WatchItem.Snapshot<Session, SessionEvent> all) {
            var sessions = new JsonArray();
            all.items().forEach(session -> sessions.add(session(session)));
            item.addProperty("kind", "snapshot");
            item.add("sessions", sessions);
            item.addProperty("cursor", all.cursor());
        } else if (watched instanceof WatchItem.Change<Session, SessionEvent> change) {
            item.addProperty("kind", "event");
            item.add("event", event(change.event()));
            item.addProperty("cursor", change.cursor());
        } else if (watched instanceof WatchItem.Bookmark<Session, SessionEvent> bookmark) {
            item.addProperty("kind", "bookmark");
            item.addProperty("cursor", bookmark.cursor());
        } else if (watched instanceof WatchItem.Disconnected<Session, SessionEvent> disconnected) {
            item.addProperty("kind", "disconnected");
            item.add("error", error(disconnected.error()));
            item.addProperty("retryInMs", disconnected.retryIn().toMillis());
        }
        return item;
    }

    static JsonObject sessionAt(SessionAt at) {
        var item = of("session", session(at.session()));
        item.addProperty("cursor", at.cursor());
        return item;
    }

    static JsonObject event(SessionEvent event) {
        var item = new JsonObject();
        item.addProperty("type", withoutPrefix(event.getType(), event.getTypeValue(), "SESSION_EVENT_TYPE_"));
        item.addProperty("sequence", event.getSequence());
        item.add("session", session(event.getSession()));
        if (event.hasNativeResult()) {
            item.add("native", nativeResult(event.getNativeResult()));
        }
        return item;
    }

    static JsonObject session(Session session) {
        var item = new JsonObject();
        item.addProperty("id", session.getSessionId());
        item.addProperty("state", withoutPrefix(session.getState(), session.getStateValue(), "SESSION_STATE_"));
        item.addProperty("owner", session.getOwner());
        if (session.hasEnd()) {
            item.addProperty(
                    "reason",
                    withoutPrefix(
                            session.getEnd().getReason(), session.getEnd().getReasonValue(), "SESSION_END_REASON_"));
            item.addProperty(
                    "evidence",
                    withoutPrefix(
                            session.getEnd().getEvidence(),
                            session.getEnd().getEvidenceValue(),
                            "DISCONNECT_EVIDENCE_"));
        }
        return item;
    }

    static JsonObject device(Device device) {
        var item = new JsonObject();
        item.addProperty("address", device.getDeviceAddress());
        item.addProperty("name", device.getName());
        item.addProperty("isVisible", device.hasIsVisible() ? device.getIsVisible() : null);
        return of("device", item);
    }

    static JsonObject host(GetHostResponse host, HealthCheckResponse.ServingStatus health) {
        var told = new JsonObject();
        told.addProperty("state", withoutPrefix(host.getState(), host.getStateValue(), "HOST_STATE_"));
        told.addProperty(
                "driver",
                withoutPrefix(host.getDriver().getKind(), host.getDriver().getKindValue(), "DRIVER_KIND_"));
        var item = of("host", told);
        item.addProperty("health", health.name());
        return item;
    }

    static JsonObject error(GatewayException error) {
        var item = new JsonObject();
        item.addProperty("code", error.code().name());
        item.addProperty("message", error.getMessage());
        item.addProperty("reason", error.reasonName().isEmpty() ? null : error.reasonName());
        var metadata = new JsonObject();
        error.metadata().forEach(metadata::addProperty);
        item.add("metadata", metadata);
        item.add("native", error.nativeResult().map(Items::nativeResult).orElse(null));
        if (!error.retryDelay().isZero()) {
            item.addProperty("retryDelayMs", error.retryDelay().toMillis());
        }
        var fields = new JsonArray();
        error.fieldViolations().forEach(violation -> fields.add(violation.getField()));
        item.add("fields", fields);
        return item;
    }

    private static JsonObject nativeResult(NativeResult result) {
        var item = new JsonObject();
        item.addProperty("function", result.getFunction());
        item.addProperty("code", Integer.toUnsignedLong(result.getCode()));
        item.addProperty("name", result.getName());
        item.addProperty("reasonCode", Integer.toUnsignedLong(result.getReasonCode()));
        return item;
    }

    /** The number where this version doesn't know the value. */
    private static String withoutPrefix(Enum<?> value, int number, String prefix) {
        return value.name().equals("UNRECOGNIZED")
                ? String.valueOf(number)
                : value.name().replaceFirst("^" + prefix, "");
    }
}
