package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.OpenSessionRequest;
import io.github.wifidirectgateway.v1.SessionKind;
import java.time.Duration;
import java.util.UUID;

/**
 * Which session to open. Start with {@link #to}; each {@code with} method returns a new request.
 *
 * @param deviceAddress the P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
 * @param sessionId the id of the session: 4 to 63 characters of {@code [a-z0-9-]}, the first a letter or digit; empty
 *     means a UUID that the host makes
 * @param kind unspecified means {@code SESSION_KIND_WIFI_DIRECT}
 * @param openTimeout how long the open can take; 0 means the host's default, 60 s
 * @param leaseTtl how long the session outlives its last stream, 1 s to 24 h; 0 means that it ends with its last stream
 * @param requestId a UUID that identifies this request: another open with it attaches to the same session; empty means
 *     a new UUID for each call
 * @param heartbeatInterval how long the stream can be quiet before the host sends a heartbeat, 1 s to 5 min; 0 means no
 *     heartbeats. Heartbeats are not returned to the caller. They keep proxies from closing the stream, and a host that
 *     is silent for three intervals is considered gone
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
     * Creates a request with default options.
     *
     * @param deviceAddress the P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
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
     * Sets the id of the session.
     *
     * @param sessionId the id of the session
     * @return the new request
     */
    public OpenRequest withSessionId(String sessionId) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /**
     * Sets the kind of the session, which decides the native call.
     *
     * @param kind unspecified means {@code SESSION_KIND_WIFI_DIRECT}
     * @return the new request
     */
    public OpenRequest withKind(SessionKind kind) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /**
     * Sets how long the open can take.
     *
     * @param openTimeout at least 1 ms; 0 means 60 s
     * @return the new request
     */
    public OpenRequest withOpenTimeout(Duration openTimeout) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /**
     * Sets how long the session outlives its last stream.
     *
     * @param leaseTtl 1 s to 24 h; 0 means no lease
     * @return the new request
     */
    public OpenRequest withLeaseTtl(Duration leaseTtl) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /**
     * Sets the UUID that identifies this request.
     *
     * @param requestId a UUID; empty means a new UUID for each call
     * @return the new request
     */
    public OpenRequest withRequestId(String requestId) {
        return new OpenRequest(deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval);
    }

    /**
     * Sets the interval of heartbeats.
     *
     * @param heartbeatInterval 1 s to 5 min; 0 means no heartbeats
     * @return the new request
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
