package io.github.wifidirectgateway;

import java.time.Duration;
import java.util.List;

/**
 * An item of a {@link Watch}.
 *
 * @param <T> of what there is: sessions, or devices
 * @param <E> of what happens to them
 */
public sealed interface WatchItem<T, E> {
    /**
     * All there is. It replaces what was known, also when it comes in the middle of a watch.
     *
     * @param items all of them
     * @param cursor at which they were so
     */
    record Snapshot<T, E>(List<T> items, String cursor) implements WatchItem<T, E> {}

    /**
     * One thing that happened.
     *
     * @param event what it was
     * @param cursor what to keep to resume a later watch: nothing will be missed. Events that came together share a
     *     cursor, so those handled already may then come again; pass over them by epoch and sequence
     */
    record Change<T, E>(E event, String cursor) implements WatchItem<T, E> {}

    /**
     * Nothing happened, up to this cursor.
     *
     * @param cursor to resume from
     */
    record Bookmark<T, E>(String cursor) implements WatchItem<T, E> {}

    /**
     * The stream broke. It will be attached again by itself: there is nothing to do.
     *
     * @param error with the reason {@code CURSOR_EXPIRED}, events are lost for good, and a snapshot follows
     * @param retryIn how long until then
     */
    record Disconnected<T, E>(GatewayException error, Duration retryIn) implements WatchItem<T, E> {}
}
