package io.github.wifidirectgateway;

import io.grpc.Context;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Waits for messages of a stream, and ends the stream if it is silent for too long. Pings say nothing about a host
 * behind a proxy.
 *
 * @param clock ends the stream
 * @param silenceMax how long the stream can be silent; 0 means without limit
 */
record Listening(ScheduledExecutorService clock, Duration silenceMax) {
    /** For how many heartbeat intervals a stream can be silent. */
    private static final int INTERVALS = 3;

    static Listening to(ScheduledExecutorService clock, Duration interval) {
        return new Listening(clock, interval.multipliedBy(INTERVALS));
    }

    /**
     * Receives a message, in the context of the stream.
     *
     * @throws GatewayException the error of the stream; {@code UNAVAILABLE} if it was silent
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

    /** Without limit. */
    Listening forEver() {
        return new Listening(clock, Duration.ZERO);
    }
}
