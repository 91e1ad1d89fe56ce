package io.github.wifidirectgateway;

import com.google.protobuf.Timestamp;
import io.github.wifidirectgateway.v1.CancelOpenSessionRequest;
import io.github.wifidirectgateway.v1.CloseSessionRequest;
import io.github.wifidirectgateway.v1.GetSessionRequest;
import io.github.wifidirectgateway.v1.ListSessionsRequest;
import io.github.wifidirectgateway.v1.RenewSessionRequest;
import io.github.wifidirectgateway.v1.Session;
import io.github.wifidirectgateway.v1.SessionEvent;
import io.github.wifidirectgateway.v1.SessionServiceGrpc;
import io.github.wifidirectgateway.v1.WatchSessionsRequest;
import io.github.wifidirectgateway.v1.WatchSessionsResponse;
import io.grpc.Context;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.Optional;

/** Opens, closes and watches the sessions of one host. session_service.proto describes each RPC. */
public final class Sessions {
    private final Connection connection;
    private final SessionServiceGrpc.SessionServiceBlockingStub stub;

    Sessions(Connection connection) {
        this.connection = connection;
        stub = SessionServiceGrpc.newBlockingStub(connection.channel());
    }

    /**
     * Opens a session with default options.
     *
     * @param deviceAddress the P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @return the session, which the caller must close
     */
    public HeldSession open(String deviceAddress) {
        return open(OpenRequest.to(deviceAddress));
    }

    /**
     * Opens a session, or attaches to the session that the same request id has opened. Returns when the host has
     * accepted the request, which is before the session is open: see {@link HeldSession#waitOpen}. The end of the
     * current {@link Context} detaches, like {@link HeldSession#detach}. The call has no deadline, but it fails if the
     * host is silent for three heartbeat intervals.
     *
     * @param request which session to open
     * @return the session, which the caller must close
     */
    public HeldSession open(OpenRequest request) {
        var message = request.toMessage();
        Context.CancellableContext context = connection.newContext();
        try {
            var stream = Connection.within(context, () -> stub.openSession(message));
            return new HeldSession(this, context, stream, connection.listening(request.heartbeatInterval()));
        } catch (RuntimeException e) {
            context.cancel(e);
            throw e;
        }
    }

    /**
     * Closes an open session, or cancels one that is opening. Returns when the close has begun.
     *
     * @param sessionId the id of the session
     * @return the closing or ended session
     */
    public SessionAt close(String sessionId) {
        return close(stub, sessionId, false);
    }

    /**
     * Closes the session, and returns when it has ended. Only the current {@link Context} can set a deadline.
     *
     * @param sessionId the id of the session
     * @return the ended session
     */
    public SessionAt closeAndWait(String sessionId) {
        return close(stub.withOption(Connection.TIMEOUT, Duration.ZERO), sessionId, true);
    }

    private SessionAt close(SessionServiceGrpc.SessionServiceBlockingStub stub, String sessionId, boolean isToWait) {
        var request = CloseSessionRequest.newBuilder()
                .setSessionId(sessionId)
                .setWaitForDisconnect(isToWait)
                .setRequestId(OpenRequest.newRequestId())
                .build();
        var response = connection.call(() -> stub.closeSession(request));
        return shown(
                response.hasSession(),
                response.getSession(),
                response.getCursor(),
                response.hasHostTime(),
                response.getHostTime());
    }

    /**
     * Cancels a pending open. The session then ends {@code CANCELLED}, or {@code CLOSED} if the open was faster; an
     * event reports which.
     *
     * @param sessionId the id of the session
     * @return the session after the request
     */
    public SessionAt cancel(String sessionId) {
        var request = CancelOpenSessionRequest.newBuilder()
                .setSessionId(sessionId)
                .setRequestId(OpenRequest.newRequestId())
                .build();
        var response = connection.call(() -> stub.cancelOpenSession(request));
        return shown(
                response.hasSession(),
                response.getSession(),
                response.getCursor(),
                response.hasHostTime(),
                response.getHostTime());
    }

    /**
     * Extends a lease.
     *
     * @param sessionId the id of the session
     * @param leaseTtl when the lease expires, from now; 0 means the session's own lease
     * @return the session, with its new lease
     */
    public SessionAt renew(String sessionId, Duration leaseTtl) {
        var request = RenewSessionRequest.newBuilder().setSessionId(sessionId).setRequestId(OpenRequest.newRequestId());
        Durations.optional(leaseTtl).ifPresent(request::setLeaseTtl);
        var response = connection.call(() -> stub.renewSession(request.build()));
        return shown(
                response.hasSession(),
                response.getSession(),
                response.getCursor(),
                response.hasHostTime(),
                response.getHostTime());
    }

    /**
     * Returns one session. The host keeps an ended session for a while.
     *
     * @param sessionId the id of the session
     * @return the session
     */
    public SessionAt get(String sessionId) {
        var request = GetSessionRequest.newBuilder().setSessionId(sessionId).build();
        var response = connection.call(() -> stub.getSession(request));
        return shown(
                response.hasSession(),
                response.getSession(),
                response.getCursor(),
                response.hasHostTime(),
                response.getHostTime());
    }

    private static SessionAt shown(
            boolean hasSession, Session session, String cursor, boolean hasHostTime, Timestamp hostTime) {
        if (!hasSession) {
            throw new GatewayException(Status.INTERNAL.withDescription("the host's answer has no session"));
        }
        var time = hasHostTime ? Optional.of(SessionAt.instant(hostTime)) : Optional.<Instant>empty();
        return new SessionAt(session, cursor, time);
    }

    /**
     * Lists every session. See {@link #list(ListOptions)}.
     *
     * @return the sessions, which can be iterated over any number of times
     */
    public Iterable<Session> list() {
        return list(ListOptions.ALL);
    }

    /**
     * Lists the sessions, oldest first. Each iteration fetches them again, page by page as they are read.
     *
     * @param options which sessions to return
     * @return the sessions, which can be iterated over any number of times
     */
    public Iterable<Session> list(ListOptions options) {
        return new Pages<>(token -> {
            var request = ListSessionsRequest.newBuilder()
                    .setPageSize(options.pageSize())
                    .setPageToken(token)
                    .addAllStates(options.states())
                    .setDeviceAddress(options.deviceAddress())
                    .build();
            var response = connection.call(() -> stub.listSessions(request));
            return new Pages.Page<>(response.getSessionsList(), response.getNextPageToken());
        });
    }

    /**
     * Watches every session from now on. See {@link #watch(WatchOptions)}.
     *
     * @return the watch, which the caller must close
     */
    public Watch<Session, SessionEvent> watch() {
        return watch(WatchOptions.FROM_NOW);
    }

    /**
     * Watches sessions. The items are a {@link WatchItem.Snapshot}, unless the watch resumes at a cursor, then each
     * {@link WatchItem.Change} once and in order, even if the connection breaks. {@link WatchItem.Bookmark} and
     * {@link WatchItem.Disconnected} come in between.
     *
     * @param options what to show, and where to start
     * @return the watch, which the caller must close
     */
    public Watch<Session, SessionEvent> watch(WatchOptions options) {
        return connection.watch(options, cursor -> {
            var request = WatchSessionsRequest.newBuilder().setCursor(cursor).addAllSessionIds(options.names());
            Durations.optional(options.bookmarkInterval()).ifPresent(request::setBookmarkInterval);
            Iterator<WatchSessionsResponse> stream = stub.watchSessions(request.build());
            return () -> stream.hasNext() ? batch(stream.next()) : null;
        });
    }

    private static Watching.Batch<Session, SessionEvent> batch(WatchSessionsResponse response) {
        return new Watching.Batch<>(
                response.getSnapshotList(),
                response.getSnapshotComplete(),
                response.getEventsList(),
                response.getCursor());
    }
}
