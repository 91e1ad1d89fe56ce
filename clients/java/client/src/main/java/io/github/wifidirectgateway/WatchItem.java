package io.github.wifidirectgateway;

import java.time.Duration;
import java.util.List;

/**
 * An item of a {@link Watch}.
 *
 * @param <T> the type of the items of a snapshot: sessions or devices
 * @param <E> the type of their events
 */
public sealed interface WatchItem<T, E> {
    /**
     * Everything that exists. It replaces what the caller knew, even in the middle of a watch.
     *
     * @param items all items
     * @param cursor the cursor at which the items had this state
     */
    record Snapshot<T, E>(List<T> items, String cursor) implements WatchItem<T, E> {}

    /**
     * One event.
     *
     * @param event the event
     * @param cursor store it to resume a later watch without missing an event. Events of one message share a cursor, so
     *     after a resume some events can arrive again: skip them by epoch and sequence
     */
    record Change<T, E>(E event, String cursor) implements WatchItem<T, E> {}

    /**
     * Nothing else happened up to this cursor.
     *
     * @param cursor the cursor
     */
    record Bookmark<T, E>(String cursor) implements WatchItem<T, E> {}

    /**
     * The stream broke. The watch reconnects by itself.
     *
     * @param error why it broke; if the reason is {@code CURSOR_EXPIRED}, events were missed, and a snapshot follows
     * @param retryIn how long the watch waits before the next attempt
     */
    record Disconnected<T, E>(GatewayException error, Duration retryIn) implements WatchItem<T, E> {}
}
