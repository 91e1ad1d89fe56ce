package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.Session;
import io.github.wifidirectgateway.v1.SessionEvent;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/**
 * A watch that is attached to one stream after another, and what it asked for and told. After the last stream it is
 * closed.
 */
final class Script {
    /** Pauses are 125, 250, 500, ... ms. */
    static final Backoff HALF = new Backoff(Duration.ofMillis(250), Duration.ofSeconds(30), () -> 0.5);

    final List<String> cursors = new ArrayList<>();
    final List<Duration> pauses = new ArrayList<>();
    final List<WatchItem<Session, SessionEvent>> items = new ArrayList<>();
    final Watch<Session, SessionEvent> watch;
    GatewayException failure;

    private final Queue<Stream> streams;
    private Duration now = Duration.ZERO;

    /** Gives null when it has ended. */
    interface Stream extends Supplier<Watching.Batch<Session, SessionEvent>> {}

    Script(String cursor, Backoff backoff, Stream... streams) {
        this.streams = new ArrayDeque<>(List.of(streams));
        watch = new Watch<>(
                Context.current().withCancellation(),
                this::attach,
                new Watching<>(cursor, backoff),
                new Listening(null, Duration.ZERO),
                new Watch.Time() {
                    @Override
                    public boolean await(CountDownLatch end, Duration pause) {
                        pauses.add(pause);
                        return false;
                    }

                    @Override
                    public long nanos() {
                        return now.toNanos();
                    }
                });
    }

    /** A stream that stands for this long after what it gives, and then breaks. */
    Stream standing(Duration time, StatusRuntimeException error, Watching.Batch<Session, SessionEvent> batch) {
        var rest = stream(error, batch);
        var isRead = new AtomicBoolean();
        return () -> {
            if (isRead.getAndSet(true)) {
                now = now.plus(time);
            }
            return rest.get();
        };
    }

    void add(Stream... more) {
        streams.addAll(List.of(more));
    }

    /** Watches until it ends. */
    Script run() {
        try {
            watch.forEach(items::add);
        } catch (GatewayException error) {
            failure = error;
        }
        return this;
    }

    /** What the items say, in short. */
    List<Object> told() {
        return items.stream().map(Script::inShort).toList();
    }

    private static Object inShort(WatchItem<Session, SessionEvent> item) {
        if (item instanceof WatchItem.Snapshot<Session, SessionEvent> all) {
            return all.items().stream().map(Session::getSessionId).toList();
        } else if (item instanceof WatchItem.Change<Session, SessionEvent> change) {
            return change.event().getSequence();
        } else if (item instanceof WatchItem.Disconnected<Session, SessionEvent> broken) {
            return broken.error().code();
        }
        return item;
    }

    private Stream attach(String cursor) {
        if (streams.isEmpty()) {
            watch.close();
            throw Status.CANCELLED.asRuntimeException();
        }
        cursors.add(cursor);
        return streams.remove();
    }

    /** A stream that gives these messages, and then this error; null: it ends well. */
    @SafeVarargs
    static Stream stream(StatusRuntimeException error, Watching.Batch<Session, SessionEvent>... batches) {
        var left = new ArrayDeque<Watching.Batch<Session, SessionEvent>>();
        for (var batch : batches) {
            left.add(batch);
        }
        return () -> {
            if (left.isEmpty() && error != null) {
                throw error;
            }
            return left.poll();
        };
    }

    static Watching.Batch<Session, SessionEvent> part(String... ids) {
        return new Watching.Batch<>(sessions(ids), false, List.of(), "");
    }

    static Watching.Batch<Session, SessionEvent> snapshot(String cursor, String... ids) {
        return new Watching.Batch<>(sessions(ids), true, List.of(), cursor);
    }

    static Watching.Batch<Session, SessionEvent> events(String cursor, long... sequences) {
        var events = LongStream.of(sequences)
                .mapToObj(sequence ->
                        SessionEvent.newBuilder().setSequence(sequence).build())
                .toList();
        return new Watching.Batch<>(List.of(), false, events, cursor);
    }

    static List<Session> sessions(String... ids) {
        return Arrays.stream(ids)
                .map(id -> Session.newBuilder().setSessionId(id).build())
                .toList();
    }
}
