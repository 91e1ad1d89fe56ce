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

/** The channel to a host, and the rules for every call on it. */
final class Connection {
    /** The timeout of a call if the context has no deadline, instead of the client's default; 0 means no timeout. */
    static final CallOptions.Key<Duration> TIMEOUT = CallOptions.Key.create("timeout");

    private static final long HASTENED_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(250);

    private final ManagedChannel channel;
    private final Optional<BearerToken> token;
    private final Optional<Supplier<Metadata>> metadata;
    private final Duration timeout;
    /** Work that is submitted after its end is dropped. */
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
            // Invariant: no credential is sent in clear text, except to this machine.
            throw new IllegalArgumentException("the token would reach " + address.text() + " in clear text; use TLS");
        }
        token = Optional.ofNullable(options.token).map(BearerToken::new);
        metadata = Optional.ofNullable(options.metadata);
        timeout = options.timeout;
        clock.setRemoveOnCancelPolicy(true);
        // A host that vanishes is noticed within 30 s. Watches have no deadline that would notice it.
        var builder = Grpc.newChannelBuilder(address.text(), credentials)
                .keepAliveTime(20, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .intercept(new EachCall());
        if (address.isUnixSocket()) {
            // Otherwise it would be the path, which is not a valid authority in HTTP/2.
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

    /** Returns a context that ends with the caller's context and with the client. The caller must cancel it. */
    Context.CancellableContext newContext() {
        Context.CancellableContext context = Context.current().withCancellation();
        Context.CancellationListener close = closed -> context.cancel(closed.cancellationCause());
        isOpen.addListener(close, Runnable::run);
        context.addListener(ended -> isOpen.removeListener(close), Runnable::run);
        return context;
    }

    /** Makes a unary call, and decodes its error. */
    <T> T call(Supplier<T> call) {
        Context.CancellableContext context = newContext();
        try {
            return within(context, call);
        } finally {
            context.cancel(null);
        }
    }

    /** Runs a call in this context, and decodes its error. */
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

    /** For streams that say something in each interval; 0 means that they do not. */
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

        /** Called here, in the context of the caller. */
        private <Q, R> ClientCall<Q, R> withMetadata(ClientCall<Q, R> call) {
            if (metadata.isEmpty()) {
                return call;
            }
            Metadata added;
            try {
                added = Objects.requireNonNull(metadata.get().get(), "it gave none");
            } catch (Throwable e) {
                // As with tokens, it may work again soon.
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
         * While the channel waits to reconnect, for up to 2 min, calls fail immediately. Callers do not want to wait so
         * long, and a watch has its own pauses. So a call makes the channel try again, at most once in 250 ms.
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
