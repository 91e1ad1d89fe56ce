package io.github.wifidirectgateway;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;

/** The channel to a host, what holds for every call on it, and its end. */
final class Connection {
    /** How long a call may take where the context has no deadline, if not as long as the client says; 0: for ever. */
    static final CallOptions.Key<Duration> TIMEOUT = CallOptions.Key.create("timeout");

    private static final long HASTENED_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(250);

    private final ManagedChannel channel;
    private final Optional<BearerToken> token;
    private final Optional<Supplier<Metadata>> metadata;
    private final Duration timeout;
    /** What is asked of it after its end is never done. */
    private final ScheduledThreadPoolExecutor clock =
            new ScheduledThreadPoolExecutor(1, Connection::newThread, new ThreadPoolExecutor.DiscardPolicy());

    private final Attempts attempts;
    /** Cancelled when the client is closed. */
    private final Context.CancellableContext isOpen = Context.ROOT.withCancellation();

    private final AtomicLong hastened = new AtomicLong(System.nanoTime());

    Connection(GatewayClient.Builder options) {
        var address = new Address(options.address);
        ChannelCredentials credentials = options.credentialsFor(address);
        boolean isClear = credentials.withoutBearerTokens() instanceof InsecureChannelCredentials;
        if (options.token != null && isClear && !address.isThisMachine()) {
            // The rule that must not be broken: no credential leaves in clear text, but to this machine itself.
            throw new IllegalArgumentException("the token would reach " + address.text() + " in clear text; use TLS");
        }
        token = Optional.ofNullable(options.token).map(BearerToken::new);
        metadata = Optional.ofNullable(options.metadata);
        timeout = options.timeout;
        clock.setRemoveOnCancelPolicy(true);
        // A host that vanished without a word is noticed within 30 s: watches have no deadline that would tell.
        var builder = Grpc.newChannelBuilder(address.text(), credentials)
                .keepAliveTime(20, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .intercept(new EachCall());
        if (address.isUnixSocket()) {
            // Else it would be the path, which is not what HTTP/2 takes for one.
            builder.overrideAuthority("localhost");
        }
        options.channel.accept(builder);
        channel = builder.build();
        attempts = new Attempts(channel, clock, options.connectTimeout);
    }

    private static Thread newThread(Runnable work) {
        var thread = new Thread(work, "wifi-direct-gateway-clock");
        thread.setDaemon(true);
        return thread;
    }

    Channel channel() {
        return channel;
    }

    /** A context that ends with the caller's, and with the client. Whoever makes one cancels it. */
    Context.CancellableContext newContext() {
        Context.CancellableContext context = Context.current().withCancellation();
        Context.CancellationListener close = closed -> context.cancel(closed.cancellationCause());
        isOpen.addListener(close, Runnable::run);
        context.addListener(ended -> isOpen.removeListener(close), Runnable::run);
        return context;
    }

    /** Makes a unary call; what it fails with is decoded. */
    <T> T call(Supplier<T> call) {
        Context.CancellableContext context = newContext();
        try {
            return within(context, call);
        } finally {
            context.cancel(null);
        }
    }

    /** Does something in this context; what it fails with is decoded. */
    static <T> T within(Context context, Supplier<T> call) {
        Context caller = context.attach();
        try {
            return call.get();
        } catch (StatusRuntimeException e) {
            throw GatewayException.from(e);
        } finally {
            context.detach(caller);
        }
    }

    <T, E> Watch<T, E> watch(WatchOptions options, Function<String, Supplier<Watching.Batch<T, E>>> attach) {
        var interval =
                options.bookmarkInterval().isZero() ? WatchOptions.BOOKMARK_INTERVAL : options.bookmarkInterval();
        return new Watch<>(
                newContext(),
                attach,
                new Watching<>(options.cursor(), options.backoff()),
                listening(interval),
                Watch.REAL);
    }

    /** To streams that say something in each interval; 0: in none. */
    Listening listening(Duration interval) {
        return Listening.to(clock, interval);
    }

    void close() {
        isOpen.cancel(Status.CANCELLED.withDescription("the client was closed").asRuntimeException());
        channel.shutdownNow();
        clock.shutdownNow();
        try {
            channel.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private final class EachCall implements ClientInterceptor {
        @Override
        public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions given, Channel next) {
            hasten();
            CallOptions options = given;
            if (token.isPresent()) {
                options = options.withCallCredentials(token.get());
            }
            Duration most = Optional.ofNullable(given.getOption(TIMEOUT)).orElse(timeout);
            boolean isBounded = given.getDeadline() != null || Context.current().getDeadline() != null;
            if (method.getType() == MethodDescriptor.MethodType.UNARY && !isBounded && !most.isZero()) {
                options = options.withDeadlineAfter(TimeUnit.NANOSECONDS.convert(most), TimeUnit.NANOSECONDS);
            }
            return withMetadata(attempts.call(method, options, next));
        }

        /** Here, where the context is the caller's. */
        private <Q, R> ClientCall<Q, R> withMetadata(ClientCall<Q, R> call) {
            if (metadata.isEmpty()) {
                return call;
            }
            Metadata added;
            try {
                added = Objects.requireNonNull(metadata.get().get(), "it gave none");
            } catch (Throwable e) {
                // As with tokens, it may be well again soon.
                throw Status.UNAVAILABLE
                        .withDescription("the hook for metadata failed: " + e.getMessage())
                        .withCause(e)
                        .asRuntimeException();
            }
            return new SimpleForwardingClientCall<>(call) {
                @Override
                public void start(Listener<R> listener, Metadata headers) {
                    headers.merge(added);
                    super.start(listener, headers);
                }
            };
        }

        /**
         * Calls fail at once while the channel waits to reconnect, for up to 2 min. Whoever calls then doesn't want to
         * wait so long, and a watch has pauses of its own, so the channel tries again, once in 250 ms at most.
         */
        private void hasten() {
            long now = System.nanoTime();
            long before = hastened.get();
            if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE
                    && now - before > HASTENED_NANOS_MIN
                    && hastened.compareAndSet(before, now)) {
                channel.resetConnectBackoff();
            }
        }
    }
}
