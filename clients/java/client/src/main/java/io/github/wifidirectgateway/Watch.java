package io.github.wifidirectgateway;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A watch that resumes: after an error that a retry can solve, it reconnects at its cursor.
 *
 * <pre>
 *   attach --batches--&gt; items            attach again, after a pause, from the last cursor
 *      |                                    ^
 *      +--error that may heal--&gt; Disconnected
 * </pre>
 *
 * <p>Iterating blocks until the next item arrives. It throws a {@link GatewayException} if a retry can't help
 * ({@code UNAUTHENTICATED}, {@code PERMISSION_DENIED}, {@code INVALID_ARGUMENT}, {@code UNIMPLEMENTED}), if the client
 * is closed, if the {@link Context} in which the watch was created ends, and if the thread is interrupted. It ends
 * without an error when the watch is closed.
 *
 * <p>There is one iteration, by one thread at a time. Any thread can close the watch. A slow loop does not use more
 * memory: the host ends a stream that is read too slowly, and the watch resumes.
 *
 * @param <T> the type of the items of a snapshot: sessions or devices
 * @param <E> the type of their events
 */
public final class Watch<T, E> implements Iterable<WatchItem<T, E>>, AutoCloseable {
    /** The clock, which tests replace. */
    interface Time {
        /** Waits. Returns true if the watch has ended meanwhile. */
        boolean await(CountDownLatch end, Duration pause) throws InterruptedException;

        /** As {@link System#nanoTime}. */
        long nanos();
    }

    static final Time REAL = new Time() {
        @Override
        public boolean await(CountDownLatch end, Duration pause) throws InterruptedException {
            return end.await(TimeUnit.NANOSECONDS.convert(pause), TimeUnit.NANOSECONDS);
        }

        @Override
        public long nanos() {
            return System.nanoTime();
        }
    };

    private final Context.CancellableContext context;
    private final Function<String, Supplier<Watching.Batch<T, E>>> attach;
    private final Watching<T, E> watching;
    private final Listening listening;
    private final Time time;
    private final CountDownLatch end = new CountDownLatch(1);
    private final Items items = new Items();
    private boolean isIterated = false;
    private volatile boolean isClosed = false;

    Watch(
            Context.CancellableContext context,
            Function<String, Supplier<Watching.Batch<T, E>>> attach,
            Watching<T, E> watching,
            Listening listening,
            Time time) {
        this.context = context;
        this.attach = attach;
        this.watching = watching;
        this.listening = listening;
        this.time = time;
        context.addListener(ended -> end.countDown(), Runnable::run);
    }

    /** {@inheritDoc} Once only. */
    @Override
    public Iterator<WatchItem<T, E>> iterator() {
        if (isIterated) {
            throw new IllegalStateException("a watch is iterated over once");
        }
        isIterated = true;
        return items;
    }

    /** Ends the watch and its iteration. Idempotent. */
    @Override
    public void close() {
        isClosed = true;
        context.cancel(null);
    }

    private final class Items implements Iterator<WatchItem<T, E>> {
        private final Queue<WatchItem<T, E>> ready = new ArrayDeque<>();
        /** The item that hasNext has announced is returned even if the watch was closed since. */
        private WatchItem<T, E> next;
        /** Returns null when the watch has ended. */
        private Supplier<Watching.Batch<T, E>> stream;
        /** Ends with the stream. */
        private Context.CancellableContext streamContext;
        /** When the first message of the stream arrived. */
        private Optional<Long> heardFirst = Optional.empty();

        private Duration pause = Duration.ZERO;

        @Override
        public boolean hasNext() {
            while (next == null && !isClosed) {
                next = ready.poll();
                if (next == null) {
                    read();
                }
            }
            return next != null;
        }

        @Override
        public WatchItem<T, E> next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            var given = next;
            next = null;
            return given;
        }

        private void read() {
            try {
                ready.addAll(watching.take(receive()));
            } catch (GatewayException error) {
                broke(error);
            }
        }

        private Watching.Batch<T, E> receive() {
            if (stream == null) {
                pass();
                streamContext = context.withCancellation();
                stream = Connection.within(streamContext, () -> attach.apply(watching.cursor()));
            }
            var batch = listening.receive(streamContext, stream);
            if (batch == null) {
                // A watch never ends by itself.
                throw new GatewayException(Status.UNAVAILABLE.withDescription("the host ended the watch"));
            }
            if (heardFirst.isEmpty()) {
                heardFirst = Optional.of(time.nanos());
            }
            return batch;
        }

        private void broke(GatewayException error) {
            stream = null;
            if (streamContext != null) {
                streamContext.cancel(null);
            }
            var stood = heardFirst
                    .map(first -> Duration.ofNanos(time.nanos() - first))
                    .orElse(Duration.ZERO);
            heardFirst = Optional.empty();
            if (isClosed) {
                return;
            }
            boolean isInterrupted = Thread.currentThread().isInterrupted();
            if (context.isCancelled() || isInterrupted || Watching.isFatal(error)) {
                close();
                throw error;
            }
            var disconnected = watching.broke(error, stood);
            pause = disconnected.retryIn();
            ready.add(disconnected);
        }

        private void pass() {
            try {
                if (!time.await(end, pause)) {
                    return;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new GatewayException(Status.CANCELLED.withDescription("the thread was interrupted"));
            }
            throw new GatewayException(Contexts.statusFromCancelled(context));
        }
    }
}
