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

    /**
     * A request with nothing but defaults.
     *
     * @param deviceAddress P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @return the request
     */
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

    /**
     * Names the session.
     *
     * @param sessionId the name of the session
     * @return a request of its own
     */
    public OpenRequest withSessionId(String sessionId) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /**
     * Says by which native call to open.
     *
     * @param kind unspecified: {@code SESSION_KIND_WIFI_DIRECT}
     * @return a request of its own
     */
    public OpenRequest withKind(SessionKind kind) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /**
     * Bounds the open.
     *
     * @param openTimeout 1 ms or more; 0: 60 s
     * @return a request of its own
     */
    public OpenRequest withOpenTimeout(Duration openTimeout) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /**
     * Lets the session outlive its streams.
     *
     * @param leaseTtl 1 s to 24 h; 0: it has no lease
     * @return a request of its own
     */
    public OpenRequest withLeaseTtl(Duration leaseTtl) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /**
     * Lets the host know the request again.
     *
     * @param requestId a UUID; empty: a new one at each call
     * @return a request of its own
     */
    public OpenRequest withRequestId(String requestId) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /**
     * Says how often there is to be a sign of life.
     *
     * @param heartbeatInterval 1 s to 5 min; 0: none is sent
     * @return a request of its own
     */
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
