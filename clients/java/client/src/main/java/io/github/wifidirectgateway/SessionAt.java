package io.github.wifidirectgateway;

import com.google.protobuf.Timestamp;
import io.github.wifidirectgateway.v1.Session;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A session, and the cursor at which it had this state.
 *
 * @param session the session
 * @param cursor the cursor at which the session had this state; a watch that starts there sees everything after it
 * @param hostTime the time of the host when it answered; empty if the host does not send it
 */
public record SessionAt(Session session, String cursor, Optional<Instant> hostTime) {
    /**
     * Returns how long the lease had left when the host answered, on the clock of the host.
     *
     * @return the time left; empty if the session has no lease, or if the host does not send its time
     */
    public Optional<Duration> leaseLeft() {
        return hostTime.flatMap(now -> leaseLeft(session, now));
    }

    static Optional<Duration> leaseLeft(Session session, Timestamp hostTime) {
        return Optional.ofNullable(hostTime).flatMap(now -> leaseLeft(session, instant(now)));
    }

    private static Optional<Duration> leaseLeft(Session session, Instant now) {
        if (!session.hasLeaseExpireTime()) {
            return Optional.empty();
        }
        var left = Duration.between(now, instant(session.getLeaseExpireTime()));
        return Optional.of(left.isNegative() ? Duration.ZERO : left);
    }

    static Instant instant(Timestamp time) {
        return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
    }
}
