package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.OpenSessionResponse;
import io.github.wifidirectgateway.v1.Session;
import io.github.wifidirectgateway.v1.SessionEvent;
import io.github.wifidirectgateway.v1.SessionState;
import io.grpc.Context;
import io.grpc.Status;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * A session and the stream that holds it: without a lease, the session ends when the stream does. {@link #events} and
 * {@link #waitOpen} read the stream, so one thread at a time may use them; any may call the others.
 */
public final class HeldSession implements AutoCloseable {
    private final Sessions sessions;
    private final Context.CancellableContext context;
    private final Iterator<OpenSessionResponse> stream;
    private final String id;
    /** Read ahead, and not given out yet. */
    private SessionEvent next;
    /** As of the last event that was given out. */
    private Session session = Session.getDefaultInstance();

    HeldSession(Sessions sessions, Context.CancellableContext context, Iterator<OpenSessionResponse> stream) {
        this.sessions = sessions;
        this.context = context;
        this.stream = stream;
        if (!hasNext()) {
            throw new GatewayException(Status.INTERNAL.withDescription("the host ended the stream without an event"));
        }
        id = next.getSession().getSessionId();
    }

    /** The name of the session. */
    public String id() {
        return id;
    }

    /**
     * The events of the session that were not given out yet, as they come. Breaking off keeps the session: the next
     * iteration goes on from there. It ends after {@code CLOSED}, and after a {@code CANCELLED} that was asked for;
     * else with a {@link GatewayException}, after the last event.
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
     * Passes over events until the session is {@code OPEN}.
     *
     * @throws GatewayException if it ends before: what the stream ends with, or {@code CANCELLED} where it ends well
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
     * Closes the session (cancels it, while it is opening), and answers when it has ended. The events of the end can
     * still be read.
     */
    public Session closeAndWait() {
        return sessions.closeAndWait(id).session();
    }

    /**
     * Lets go of the stream. A session without a lease then ends; one that has ended is not touched. Harmless to
     * repeat.
     */
    public void detach() {
        context.cancel(
                Status.CANCELLED.withDescription("the session was detached").asRuntimeException());
    }

    /** Detaches, at the end of a block: see {@link #detach}. */
    @Override
    public void close() {
        detach();
    }

    private boolean hasNext() {
        while (next == null && Connection.within(context, stream::hasNext)) {
            OpenSessionResponse response = stream.next();
            next = response.hasEvent() ? response.getEvent() : null;
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
