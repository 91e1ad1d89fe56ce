package io.github.wifidirectgateway;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.ConnectivityState;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Limits the time of each attempt to connect. gRPC waits forever for a host that accepts a connection and stays silent.
 *
 * <p>If an attempt takes too long, the channel is made idle, which ends the attempt, and the calls that wait for it
 * fail. The next call begins another attempt.
 */
final class Attempts {
    private final ManagedChannel channel;
    private final ScheduledExecutorService clock;
    private final Duration max;
    private final Set<Waiting<?, ?>> waiting = ConcurrentHashMap.newKeySet();
    private ScheduledFuture<?> timer;

    Attempts(ManagedChannel channel, ScheduledExecutorService clock, Duration max) {
        this.channel = channel;
        this.clock = clock;
        this.max = max;
        follow();
    }

    /** Returns a call that may have to wait for the connection. */
    <Q, R> ClientCall<Q, R> call(MethodDescriptor<Q, R> method, CallOptions options, io.grpc.Channel next) {
        return new Waiting<>(method, options, next);
    }

    private synchronized void follow() {
        var state = channel.getState(false);
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
        // After a failure, attempts continue in TRANSIENT_FAILURE.
        boolean isOnItsWay = state == ConnectivityState.CONNECTING || state == ConnectivityState.TRANSIENT_FAILURE;
        if (isOnItsWay && !clock.isShutdown()) {
            timer = clock.schedule(this::giveUp, TimeUnit.NANOSECONDS.convert(max), TimeUnit.NANOSECONDS);
        }
        if (state != ConnectivityState.SHUTDOWN) {
            channel.notifyWhenStateChanged(state, this::follow);
        }
    }

    private void giveUp() {
        for (var call : List.copyOf(waiting)) {
            call.giveUp();
        }
        channel.enterIdle();
    }

    private final class Waiting<Q, R> extends SimpleForwardingClientCall<Q, R> {
        private volatile boolean isGivenUp = false;

        Waiting(MethodDescriptor<Q, R> method, CallOptions options, io.grpc.Channel next) {
            this(new Begun(), method, options, next);
        }

        private Waiting(Begun begun, MethodDescriptor<Q, R> method, CallOptions options, io.grpc.Channel next) {
            super(next.newCall(method, options.withStreamTracerFactory(begun)));
            begun.call = this;
        }

        @Override
        public void start(Listener<R> listener, Metadata headers) {
            waiting.add(this);
            super.start(
                    new SimpleForwardingClientCallListener<>(listener) {
                        @Override
                        public void onClose(Status status, Metadata trailers) {
                            waiting.remove(Waiting.this);
                            super.onClose(isGivenUp ? noAnswer(status) : status, trailers);
                        }
                    },
                    headers);
        }

        void giveUp() {
            isGivenUp = true;
            cancel("no connection", null);
        }

        private Status noAnswer(Status status) {
            return Status.UNAVAILABLE
                    .withDescription("no answer within %s: no connection to %s"
                            .formatted(Durations.inWords(max), channel.authority()))
                    .withCause(status.getCause());
        }
    }

    /** Notices that a call has a connection. */
    private final class Begun extends ClientStreamTracer.Factory {
        private volatile Waiting<?, ?> call;

        @Override
        public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
            return new ClientStreamTracer() {
                @Override
                public void streamCreated(Attributes transport, Metadata headers) {
                    waiting.remove(call);
                }
            };
        }
    }
}
