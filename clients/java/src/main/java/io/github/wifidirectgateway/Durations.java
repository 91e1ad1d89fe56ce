package io.github.wifidirectgateway;

import com.google.protobuf.Duration;
import java.util.Optional;

/** Durations on the wire. */
final class Durations {
    private Durations() {}

    /** Leaves 0 unset: the host has a default. */
    static Optional<Duration> optional(java.time.Duration duration) {
        return duration.isZero()
                ? Optional.empty()
                : Optional.of(Duration.newBuilder()
                        .setSeconds(duration.getSeconds())
                        .setNanos(duration.getNano())
                        .build());
    }
}
