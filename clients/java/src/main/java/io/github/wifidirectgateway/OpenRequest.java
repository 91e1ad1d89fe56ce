package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.OpenSessionRequest;
import io.github.wifidirectgateway.v1.SessionKind;
import java.time.Duration;
import java.util.UUID;

/**
 * What to open. Begins with {@link #to}; each {@code with} answers with a request of its own.
 *
 * @param deviceAddress P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
 * @param sessionId names the session: 4 to 63 of {@code [a-z0-9-]}, the first a letter or digit; empty: the host makes
 *     a UUID
 * @param kind unspecified: {@code SESSION_KIND_WIFI_DIRECT}
 * @param openTimeout how long the open may take; 0: what the host says, 60 s
 * @param leaseTtl lets the session outlive its streams by this long, 1 s to 24 h; 0: it ends with them
 * @param requestId UUID by which the host knows this request again: opening with it again attaches to the same session;
 *     empty: a new one at each call
 * @param heartbeatInterval how long the stream may be quiet before the host sends a sign of life, which is not handed
 *     on, 1 s to 5 min; 0: never. It keeps proxies from closing the stream, and a host that is silent for three of them
 *     is taken for gone
 */
public record OpenRequest(
        String deviceAddress,
        String sessionId,
        SessionKind kind,
        Duration openTimeout,
        Duration leaseTtl,
        String requestId,
        Duration heartbeatInterval) {
    private static final Duration HEARTBEAT_INTERVAL = Duration.ofSeconds(10);

    /** A request with nothing but defaults. */
    public static OpenRequest to(String deviceAddress) {
        return new OpenRequest(
                deviceAddress,
                "",
                SessionKind.SESSION_KIND_UNSPECIFIED,
                Duration.ZERO,
                Duration.ZERO,
                "",
                HEARTBEAT_INTERVAL);
    }

    /** Names the session. */
    public OpenRequest withSessionId(String sessionId) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /** Says by which native call to open. */
    public OpenRequest withKind(SessionKind kind) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /** Bounds the open. */
    public OpenRequest withOpenTimeout(Duration openTimeout) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /** Lets the session outlive its streams. */
    public OpenRequest withLeaseTtl(Duration leaseTtl) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /** Lets the host know the request again. */
    public OpenRequest withRequestId(String requestId) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /** Says how often there is to be a sign of life. */
    public OpenRequest withHeartbeatInterval(Duration heartbeatInterval) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    OpenSessionRequest toMessage() {
        var message = OpenSessionRequest.newBuilder()
                .setDeviceAddress(deviceAddress)
                .setSessionId(sessionId)
                .setKind(kind)
                .setRequestId(requestId.isEmpty() ? newRequestId() : requestId);
        Durations.optional(openTimeout).ifPresent(message::setOpenTimeout);
        Durations.optional(leaseTtl).ifPresent(message::setLeaseTtl);
        Durations.optional(heartbeatInterval).ifPresent(message::setHeartbeatInterval);
        return message.build();
    }

    static String newRequestId() {
        return UUID.randomUUID().toString();
    }
}
