package io.github.wifidirectgateway;

import io.grpc.Context;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Waits for messages of a stream that says something now and then, and ends the stream where it does not: pings tell
 * nothing of a host behind a proxy.
 *
 * @param clock ends it
 * @param silenceMax how long nothing may be heard; 0: for ever
 */
record Listening(ScheduledExecutorService clock, Duration silenceMax) {
    /** How many intervals of its signs of life a stream may be silent for. */
    private static final int INTERVALS = 3;

    static Listening to(ScheduledExecutorService clock, Duration interval) {
        return new Listening(clock, interval.multipliedBy(INTERVALS));
    }

    /**
     * Receives, in the context of the stream.
     *
     * @throws GatewayException what the stream fails with; {@code UNAVAILABLE} where it was silent
     */
    <T> T receive(Context.CancellableContext stream, Supplier<T> receive) {
        if (silenceMax.isZero() || silenceMax.isNegative()) {
            return Connection.within(stream, receive);
        }
        var end = Status.UNAVAILABLE.withDescription(
                "nothing was heard from the host for " + Durations.inWords(silenceMax));
        var timer = clock.schedule(
                () -> stream.cancel(end.asRuntimeException()),
                TimeUnit.NANOSECONDS.convert(silenceMax),
                TimeUnit.NANOSECONDS);
        try {
            return Connection.within(stream, receive);
        } finally {
            timer.cancel(false);
        }
    }

    /** For ever. */
    Listening forEver() {
        return new Listening(clock, Duration.ZERO);
    }
}
