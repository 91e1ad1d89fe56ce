package io.github.wifidirectgateway;

import com.google.protobuf.Duration;
import java.util.Optional;

/** Converts durations to and from the wire. */
final class Durations {
    private Durations() {}

    /** Leaves 0 unset, because the host has a default. */
    static Optional<Duration> optional(java.time.Duration duration) {
        return duration.isZero()
                ? Optional.empty()
                : Optional.of(Duration.newBuilder()
                        .setSeconds(duration.getSeconds())
                        .setNanos(duration.getNano())
                        .build());
    }

    /** For people: {@code 10 s}, {@code 250 ms}. */
    static String inWords(java.time.Duration duration) {
        return duration.toMillis() % 1000 == 0 ? duration.toSeconds() + " s" : duration.toMillis() + " ms";
    }
}
