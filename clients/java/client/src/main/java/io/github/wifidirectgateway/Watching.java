package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.ErrorReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Where one watch is. Pure: no stream, no clock.
 *
 * <p>The rule that must not be broken: the cursor moves with the batch that carries it, before its items are given out;
 * so nothing is skipped and nothing comes twice, however often the stream breaks.
 */
final class Watching<T, E> {
    /** A response of WatchSessions or WatchDevices. */
    record Batch<T, E>(List<T> snapshot, boolean isSnapshotComplete, List<E> events, String cursor) {}

    /** A stream that stood so long was in good health: the pauses start over. */
    static final Duration HEALTHY = Duration.ofSeconds(10);

    private final Backoff backoff;
    private String cursor;
    private int failures = 0;
    /** Whether the last failure was an answer of the host. */
    private boolean hasAnswered = false;
    /** What has come of a snapshot that is not complete. */
    private List<T> things = new ArrayList<>();

    Watching(String cursor, Backoff backoff) {
        this.cursor = cursor;
        this.backoff = backoff;
    }

    /** From where to attach. */
    String cursor() {
        return cursor;
    }

    /** What a batch says. */
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
     * What to say of an error that may heal, and how long to wait.
     *
     * @param stood how long the stream stood since its first message; 0 where there was none
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

    /** Whether trying again can't help. */
    static boolean isFatal(GatewayException error) {
        return switch (error.code()) {
            case UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT, UNIMPLEMENTED -> true;
            default -> false;
        };
    }
}
