package io.github.wifidirectgateway;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;

/**
 * The pauses between attempts: random from 0 to a bound that doubles with each failure ("full jitter"), in addition to
 * the pause that the host asks for (at most 5 min). The bound is reset when a stream has lasted 10 s, and when the host
 * answers after failures to reach it.
 *
 * @param initial the bound after the first failure
 * @param max the largest bound
 * @param random returns numbers from 0 to below 1
 */
public record Backoff(Duration initial, Duration max, DoubleSupplier random) {
    /** From 250 ms to 30 s. */
    public static final Backoff DEFAULT = new Backoff(Duration.ofMillis(250), Duration.ofSeconds(30));

    /**
     * Refuses invalid bounds.
     *
     * @param initial the bound after the first failure
     * @param max the largest bound
     * @param random returns numbers from 0 to below 1
     */
    public Backoff {
        if (initial.isNegative() || max.isNegative()) {
            throw new IllegalArgumentException("the bounds of pauses are not negative");
        }
    }

    /**
     * Uses a random generator for the pauses.
     *
     * @param initial the bound after the first failure
     * @param max the largest bound
     */
    public Backoff(Duration initial, Duration max) {
        this(initial, max, () -> ThreadLocalRandom.current().nextDouble());
    }

    /** The longest pause that a host can ask for. */
    private static final Duration RETRY_DELAY_MAX = Duration.ofMinutes(5);

    /** Never shorter than the pause that the host asks for, up to a limit. */
    Duration pause(int failures, GatewayException error) {
        double bound = Math.min(max.toNanos(), initial.toNanos() * Math.pow(2, failures));
        Duration asked = error.retryDelay().compareTo(RETRY_DELAY_MAX) < 0 ? error.retryDelay() : RETRY_DELAY_MAX;
        return asked.plusNanos((long) (random.getAsDouble() * bound));
    }
}
