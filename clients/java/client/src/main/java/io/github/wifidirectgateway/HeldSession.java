package io.github.wifidirectgateway;

import com.google.protobuf.Timestamp;
import io.github.wifidirectgateway.v1.OpenSessionResponse;
import io.github.wifidirectgateway.v1.Session;
import io.github.wifidirectgateway.v1.SessionEvent;
import io.github.wifidirectgateway.v1.SessionState;
import io.grpc.Context;
import io.grpc.Status;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * A session, and the stream that keeps it. A session without a lease ends with its last stream. {@link #events} and
 * {@link #waitOpen} read the stream, so only one thread at a time can use them. Any thread can call the other methods.
 */
public final class HeldSession implements AutoCloseable {
    private final Sessions sessions;
    private final Context.CancellableContext context;
    private final Iterator<OpenSessionResponse> stream;
    private final String id;
    private Listening listening;
    /** The time of the host in its last message; null if the host does not send it. */
    private Timestamp hostTime;
    /** Read ahead, and not returned yet. */
    private SessionEvent next;
    /** As of the last event that was returned. */
    private Session session = Session.getDefaultInstance();

    HeldSession(
            Sessions sessions,
            Context.CancellableContext context,
            Iterator<OpenSessionResponse> stream,
            Listening listening) {
        this.sessions = sessions;
        this.context = context;
        this.stream = stream;
        this.listening = listening;
        if (!hasNext()) {
            throw new GatewayException(Status.INTERNAL.withDescription("the host ended the stream without an event"));
        }
        if (!next.hasSession()) {
            throw new GatewayException(Status.INTERNAL.withDescription("the host's event has no session"));
        }
        id = next.getSession().getSessionId();
    }

    /**
     * Returns the id of the session.
     *
     * @return the id
     */
    public String id() {
        return id;
    }

    /**
     * Returns the events of the session that were not returned yet. If a loop stops early, the next iteration continues
     * there. The iteration ends after {@code CLOSED}, and after a {@code CANCELLED} that was requested. After any other
     * end it throws a {@link GatewayException}, once the last event has been returned.
     *
     * @return the events; only one thread at a time can iterate over them
     */
    public Iterable<SessionEvent> events() {
        return () -> new Iterator<>() {
            @Override
            public boolean hasNext() {
                return HeldSession.this.hasNext();
            }

            @Override
            public SessionEvent next() {
                return HeldSession.this.next();
            }
        };
    }

    /**
     * Skips events until the session is {@code OPEN}.
     *
     * @return the open session
     * @throws GatewayException if the session ends before: the error of the stream, or {@code CANCELLED} if the stream
     *     ended without an error
     */
    public Session waitOpen() {
        while (session.getState() != SessionState.SESSION_STATE_OPEN) {
            if (!hasNext()) {
                throw new GatewayException(Status.CANCELLED.withDescription("the session ended before it was open"));
            }
            next();
        }
        return session;
    }

    /**
     * Returns how long the lease has left, according to the last event that was returned and the time of the host in
     * its last message.
     *
     * @return the time left; empty if the session has no lease, or if the host does not send its time
     */
    public Optional<Duration> leaseLeft() {
        return SessionAt.leaseLeft(session, hostTime);
    }

    /**
     * Closes the session, or cancels it while it is opening, and returns when it has ended. The last events can still
     * be read.
     *
     * @return the ended session
     */
    public Session closeAndWait() {
        return sessions.closeAndWait(id).session();
    }

    /** Ends the stream. A session without a lease then ends too. Idempotent. */
    public void detach() {
        context.cancel(
                Status.CANCELLED.withDescription("the session was detached").asRuntimeException());
    }

    /** Calls {@link #detach}, for try-with-resources. */
    @Override
    public void close() {
        detach();
    }

    /** Skips heartbeats. */
    private boolean hasNext() {
        while (next == null && listening.receive(context, stream::hasNext)) {
            OpenSessionResponse response = stream.next();
            next = response.hasEvent() ? response.getEvent() : null;
            hostTime = response.hasHostTime() ? response.getHostTime() : null;
            if (hostTime == null) {
                // A host that sends no time sends no heartbeats either, so its silence means nothing.
                listening = listening.forEver();
            }
        }
        return next != null;
    }

    private SessionEvent next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        SessionEvent event = next;
        next = null;
        session = event.getSession();
        return event;
    }
}
