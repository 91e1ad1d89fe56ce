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

/** Opens, closes and follows the sessions of one host. What each RPC promises is in session_service.proto. */
public final class Sessions {
    private final Connection connection;
    private final SessionServiceGrpc.SessionServiceBlockingStub stub;

    Sessions(Connection connection) {
        this.connection = connection;
        stub = SessionServiceGrpc.newBlockingStub(connection.channel());
    }

    /**
     * Opens a session with nothing but defaults.
     *
     * @param deviceAddress P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @return the session, to be closed
     */
    public HeldSession open(String deviceAddress) {
        return open(OpenRequest.to(deviceAddress));
    }

    /**
     * Opens a session, or attaches to the one that the same request id has made. It answers when the host has accepted,
     * not when the session is open: see {@link HeldSession#waitOpen}. The end of the current {@link Context} detaches,
     * as {@link HeldSession#detach} does. It has no deadline, but a host that says nothing for three heartbeat
     * intervals is taken for gone.
     *
     * @param request what to open
     * @return the session, to be closed
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
     * Closes an open session, and cancels one that is opening. It answers when that is under way.
     *
     * @param sessionId the name of the session
     * @return the session, closing or ended
     */
    public SessionAt close(String sessionId) {
        return close(stub, sessionId, false);
    }

    /**
     * Closes the session, and answers when it has ended. It has no deadline but that of the current {@link Context}.
     *
     * @param sessionId the name of the session
     * @return the session, ended
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
     * Stops a pending open. Its end, {@code CANCELLED} or, if the open wins the race, {@code CLOSED}, is an event.
     *
     * @param sessionId the name of the session
     * @return the session, as it is then
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
     * @param sessionId the name of the session
     * @param leaseTtl how long from now it then lapses; 0: the time that the session has
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
     * Shows one session, also for a while after its end.
     *
     * @param sessionId the name of the session
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
     * Every session, see {@link #list(ListOptions)}.
     *
     * @return the sessions, to be iterated over as often as needed
     */
    public Iterable<Session> list() {
        return list(ListOptions.ALL);
    }

    /**
     * The sessions, oldest first; each iteration asks for them anew, page by page as they are needed.
     *
     * @param options what to show
     * @return the sessions, to be iterated over as often as needed
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
     * Follows every session from now, see {@link #watch(WatchOptions)}.
     *
     * @return the watch, to be closed
     */
    public Watch<Session, SessionEvent> watch() {
        return watch(WatchOptions.FROM_NOW);
    }

    /**
     * Follows sessions: a {@link WatchItem.Snapshot}, unless there is a cursor, then each {@link WatchItem.Change}, in
     * order, none twice, whatever happens to the connection, with {@link WatchItem.Bookmark} and
     * {@link WatchItem.Disconnected} between them.
     *
     * @param options what to show, and from where
     * @return the watch, to be closed
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
