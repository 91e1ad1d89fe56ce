package io.github.wifidirectgateway;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;

/**
 * The pauses between attempts: at random from 0 to a bound, which doubles with each failure in a row ("full jitter"),
 * on top of what the host asks for (5 min at most). It starts over when a stream stood for 10 s, and when the host
 * answers after failures to reach it.
 *
 * @param initial the bound after the first failure
 * @param max the largest bound
 * @param random gives numbers from 0 to below 1
 */
public record Backoff(Duration initial, Duration max, DoubleSupplier random) {
    /** From 250 ms to 30 s. */
    public static final Backoff DEFAULT = new Backoff(Duration.ofMillis(250), Duration.ofSeconds(30));

    /**
     * Refuses bounds that can't be.
     *
     * @param initial the bound after the first failure
     * @param max the largest bound
     * @param random gives numbers from 0 to below 1
     */
    public Backoff {
        if (initial.isNegative() || max.isNegative()) {
            throw new IllegalArgumentException("the bounds of pauses are not negative");
        }
    }

    /**
     * Pauses that are drawn at random.
     *
     * @param initial the bound after the first failure
     * @param max the largest bound
     */
    public Backoff(Duration initial, Duration max) {
        this(initial, max, () -> ThreadLocalRandom.current().nextDouble());
    }

    /** The most that a watch waits because the host asks for it. */
    private static final Duration RETRY_DELAY_MAX = Duration.ofMinutes(5);

    /** Never shorter than what the host asks for, within reason. */
    Duration pause(int failures, GatewayException error) {
        double bound = Math.min(max.toNanos(), initial.toNanos() * Math.pow(2, failures));
        Duration asked = error.retryDelay().compareTo(RETRY_DELAY_MAX) < 0 ? error.retryDelay() : RETRY_DELAY_MAX;
        return asked.plusNanos((long) (random.getAsDouble() * bound));
    }
}
