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
 * A session and the stream that holds it: without a lease, the session ends when the stream does. {@link #events} and
 * {@link #waitOpen} read the stream, so one thread at a time may use them; any may call the others.
 */
public final class HeldSession implements AutoCloseable {
    private final Sessions sessions;
    private final Context.CancellableContext context;
    private final Iterator<OpenSessionResponse> stream;
    private final String id;
    private Listening listening;
    /** The host's clock, by its last message; null where it doesn't tell. */
    private Timestamp hostTime;
    /** Read ahead, and not given out yet. */
    private SessionEvent next;
    /** As of the last event that was given out. */
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
     * The name of the session.
     *
     * @return the name
     */
    public String id() {
        return id;
    }

    /**
     * The events of the session that were not given out yet, as they come. Breaking off keeps the session: the next
     * iteration goes on from there. It ends after {@code CLOSED}, and after a {@code CANCELLED} that was asked for;
     * else with a {@link GatewayException}, after the last event.
     *
     * @return the events, to be iterated over by one thread at a time
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
     * @return the session, open
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
     * How long the lease had left, by the last event that was given out and the host's own clock at its last message:
     * the clock of this machine may differ.
     *
     * @return it; empty without a lease, or where the host doesn't tell its time
     */
    public Optional<Duration> leaseLeft() {
        return SessionAt.leaseLeft(session, hostTime);
    }

    /**
     * Closes the session (cancels it, while it is opening), and answers when it has ended. The events of the end can
     * still be read.
     *
     * @return the session, ended
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

    /** Passes over signs of life. */
    private boolean hasNext() {
        while (next == null && listening.receive(context, stream::hasNext)) {
            OpenSessionResponse response = stream.next();
            next = response.hasEvent() ? response.getEvent() : null;
            hostTime = response.hasHostTime() ? response.getHostTime() : null;
            if (hostTime == null) {
                // A host that knows no signs of life doesn't tell its time either: it may be silent for ever.
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
