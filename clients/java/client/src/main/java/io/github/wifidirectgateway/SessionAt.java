package io.github.wifidirectgateway;

import com.google.protobuf.Timestamp;
import io.github.wifidirectgateway.v1.Session;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A session, and when it was so.
 *
 * @param session as it was
 * @param cursor at which it was so: a watch from there sees all that came after
 * @param hostTime the host's clock when it said so; empty where it doesn't tell
 */
public record SessionAt(Session session, String cursor, Optional<Instant> hostTime) {
    /**
     * How long the lease had left when the host answered, by its own clock: the clock of this machine may differ.
     *
     * @return it; empty without a lease, or where the host doesn't tell its time
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
