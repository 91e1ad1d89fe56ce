package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.ErrorReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The position of one watch. Pure: it has no stream and no clock.
 *
 * <p>Invariant: the cursor moves with the batch that carries it, before the items of the batch are returned. So nothing
 * is skipped or repeated, however often the stream breaks.
 */
final class Watching<T, E> {
    /** A response of WatchSessions or WatchDevices. */
    record Batch<T, E>(List<T> snapshot, boolean isSnapshotComplete, List<E> events, String cursor) {}

    /** A stream that lasted this long was healthy: the back-off is reset. */
    static final Duration HEALTHY = Duration.ofSeconds(10);

    private final Backoff backoff;
    private String cursor;
    private int failures = 0;
    /** Whether the last failure was an answer from the host. */
    private boolean hasAnswered = false;
    /** The items of a snapshot that is not complete yet. */
    private List<T> things = new ArrayList<>();

    Watching(String cursor, Backoff backoff) {
        this.cursor = cursor;
        this.backoff = backoff;
    }

    /** The cursor at which the next call resumes. */
    String cursor() {
        return cursor;
    }

    /** Returns the items of a batch. */
    List<WatchItem<T, E>> take(Batch<T, E> batch) {
        String before = cursor;
        if (!batch.cursor().isEmpty()) {
            cursor = batch.cursor();
        }
        things.addAll(batch.snapshot());
        List<WatchItem<T, E>> items = new ArrayList<>();
        if (batch.isSnapshotComplete()) {
            items.add(new WatchItem.Snapshot<>(List.copyOf(things), cursor));
            things.clear();
        }
        int last = batch.events().size() - 1;
        for (int i = 0; i <= last; i++) {
            items.add(new WatchItem.Change<>(batch.events().get(i), i < last ? before : cursor));
        }
        if (items.isEmpty() && batch.snapshot().isEmpty() && !batch.cursor().isEmpty()) {
            items.add(new WatchItem.Bookmark<>(cursor));
        }
        return items;
    }

    /**
     * Returns the item for an error that a retry can solve, with the pause before the retry.
     *
     * @param stood how long the stream lasted after its first message; 0 if there was none
     */
    WatchItem.Disconnected<T, E> broke(GatewayException error, Duration stood) {
        things.clear();
        if (error.reason() == ErrorReason.ERROR_REASON_CURSOR_EXPIRED) {
            cursor = "";
        }
        boolean isAnswer = !error.reasonName().isEmpty();
        if (stood.compareTo(HEALTHY) >= 0 || isAnswer && !hasAnswered) {
            failures = 0;
        }
        hasAnswered = isAnswer;
        return new WatchItem.Disconnected<>(error, backoff.pause(failures++, error));
    }

    /** Whether a retry can't help. */
    static boolean isFatal(GatewayException error) {
        return switch (error.code()) {
            case UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT, UNIMPLEMENTED -> true;
            default -> false;
        };
    }
}
