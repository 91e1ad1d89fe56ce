package io.github.wifidirectgateway;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;

/**
 * The pauses between attempts: at random from 0 to a bound, which doubles with each failure in a row ("full jitter").
 *
 * @param initial the bound after the first failure
 * @param max the largest bound
 * @param random gives numbers from 0 to below 1
 */
public record Backoff(Duration initial, Duration max, DoubleSupplier random) {
    /** From 250 ms to 30 s. */
    public static final Backoff DEFAULT = new Backoff(Duration.ofMillis(250), Duration.ofSeconds(30));

    /**
     * Pauses that are drawn at random.
     *
     * @param initial the bound after the first failure
     * @param max the largest bound
     */
    public Backoff(Duration initial, Duration max) {
        this(initial, max, () -> ThreadLocalRandom.current().nextDouble());
    }

    /** Never shorter than what the host asks for. */
    Duration pause(int failures, GatewayException error) {
        double bound = Math.min(max.toNanos(), initial.toNanos() * Math.pow(2, failures));
        return error.retryDelay().plusNanos((long) (random.getAsDouble() * bound));
    }
}
