package io.github.wifidirectgateway;

import static io.github.wifidirectgateway.v1.SessionState.SESSION_STATE_CLOSED;
import static io.github.wifidirectgateway.v1.SessionState.SESSION_STATE_CLOSING;
import static io.github.wifidirectgateway.v1.SessionState.SESSION_STATE_FAILED;
import static io.github.wifidirectgateway.v1.SessionState.SESSION_STATE_OPEN;
import static io.github.wifidirectgateway.v1.SessionState.SESSION_STATE_OPENING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.github.wifidirectgateway.v1.ErrorReason;
import io.github.wifidirectgateway.v1.GetSessionResponse;
import io.github.wifidirectgateway.v1.ListSessionsResponse;
import io.github.wifidirectgateway.v1.OpenSessionRequest;
import io.github.wifidirectgateway.v1.OpenSessionResponse;
import io.github.wifidirectgateway.v1.Session;
import io.github.wifidirectgateway.v1.SessionEvent;
import io.github.wifidirectgateway.v1.SessionState;
import io.github.wifidirectgateway.v1.WatchSessionsResponse;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SessionsTest {
    private static final String DISPLAY = "02:11:22:33:44:01";

    private ScriptedHost host;
    private GatewayClient client;

    @BeforeEach
    void start() throws IOException {
        host = new ScriptedHost();
        client = GatewayClient.connect(host.address());
    }

    @AfterEach
    void stop() {
        client.close();
        host.close();
    }

    private static List<SessionState> states(HeldSession session) {
        var states = new ArrayList<SessionState>();
        session.events().forEach(event -> states.add(event.getSession().getState()));
        return states;
    }

    @Test
    void sessionIsReadFromItsFirstEventToItsLast() {
        host.open = (request, stream) -> {
            ScriptedHost.tell(
                    stream, SESSION_STATE_OPENING, SESSION_STATE_OPEN, SESSION_STATE_CLOSING, SESSION_STATE_CLOSED);
            stream.onCompleted();
        };
        try (var session = client.sessions().open(DISPLAY)) {
            assertEquals("a-session", session.id());
            assertEquals(
                    SESSION_STATE_OPENING,
                    session.events().iterator().next().getSession().getState());
            var opened = session.waitOpen();
            assertEquals(SESSION_STATE_OPEN, opened.getState());
            assertEquals(opened, session.waitOpen());
            assertEquals(List.of(SESSION_STATE_CLOSING, SESSION_STATE_CLOSED), states(session));
            var failure = assertThrows(GatewayException.class, session::waitOpen);
            assertEquals(Status.Code.CANCELLED, failure.code());
        }
    }

    @Test
    void openThatFailsEndsWithItsErrorAfterItsLastEvent() {
        host.open = (request, stream) -> {
            ScriptedHost.tell(stream, SESSION_STATE_OPENING, SESSION_STATE_FAILED);
            stream.onError(Failures.received(Status.Code.ABORTED, Failures.info("OPEN_FAILED")));
        };
        try (var session = client.sessions().open(DISPLAY)) {
            var events = session.events().iterator();
            assertEquals(SESSION_STATE_OPENING, events.next().getSession().getState());
            assertEquals(SESSION_STATE_FAILED, events.next().getSession().getState());
            var failure = assertThrows(GatewayException.class, events::hasNext);
            assertEquals(ErrorReason.ERROR_REASON_OPEN_FAILED, failure.reason());
            failure = assertThrows(GatewayException.class, session::waitOpen);
            assertEquals(ErrorReason.ERROR_REASON_OPEN_FAILED, failure.reason());
        }
    }

    @Test
    void openThatIsRefusedThrows() {
        host.open = (request, stream) ->
                stream.onError(Failures.received(Status.Code.INVALID_ARGUMENT, Failures.info("INVALID_FIELD")));
        var failure =
                assertThrows(GatewayException.class, () -> client.sessions().open(""));
        assertEquals(ErrorReason.ERROR_REASON_INVALID_FIELD, failure.reason());
    }

    @Test
    void detachEndsTheStream() throws InterruptedException {
        var gone = new CountDownLatch(1);
        host.open = (request, stream) -> {
            stream.setOnCancelHandler(gone::countDown);
            ScriptedHost.tell(stream, SESSION_STATE_OPENING);
        };
        var session = client.sessions().open(DISPLAY);
        session.detach();
        session.close();
        gone.await();
        var events = session.events().iterator();
        assertEquals(SESSION_STATE_OPENING, events.next().getSession().getState());
        var failure = assertThrows(GatewayException.class, events::hasNext);
        assertEquals("CANCELLED: the session was detached", failure.getMessage());
    }

    @Test
    void requestSaysWhatWasAskedForAndNoMore() throws InterruptedException {
        BlockingQueue<OpenSessionRequest> requests = new LinkedBlockingQueue<>();
        host.open = (request, stream) -> {
            requests.add(request);
            ScriptedHost.tell(stream, SESSION_STATE_OPENING);
        };
        client.sessions().open(DISPLAY).detach();
        var bare = requests.take();
        assertEquals(4, UUID.fromString(bare.getRequestId()).version());
        assertEquals(
                OpenSessionRequest.newBuilder()
                        .setDeviceAddress(DISPLAY)
                        .setRequestId(bare.getRequestId())
                        .setHeartbeatInterval(
                                com.google.protobuf.Duration.newBuilder().setSeconds(10))
                        .build(),
                bare);
        var request = OpenRequest.to(DISPLAY).withRequestId("mine").withOpenTimeout(Duration.ofMillis(1500));
        client.sessions().open(request).detach();
        var full = requests.take();
        assertEquals("mine", full.getRequestId());
        assertEquals(1, full.getOpenTimeout().getSeconds());
        assertEquals(500_000_000, full.getOpenTimeout().getNanos());
        assertFalse(full.hasLeaseTtl());
        client.sessions().open(request.withHeartbeatInterval(Duration.ZERO)).detach();
        assertFalse(requests.take().hasHeartbeatInterval());
    }

    @Test
    void signsOfLifeArePassedOverAndKeepTheStream() {
        var sign = OpenSessionResponse.newBuilder()
                .setHostTime(Timestamp.newBuilder().setSeconds(7000))
                .build();
        host.open = (request, stream) -> {
            stream.onNext(sign);
            ScriptedHost.tell(stream, SESSION_STATE_OPENING);
            stream.onNext(sign);
        };
        var request = OpenRequest.to(DISPLAY).withHeartbeatInterval(Duration.ofMillis(100));
        try (var session = client.sessions().open(request)) {
            var events = session.events().iterator();
            assertEquals(SESSION_STATE_OPENING, events.next().getSession().getState());
            // The event had no time of the host, so the host is taken for one that sends no heartbeats.
            var detaching = new Thread(session::detach);
            detaching.start();
            var failure = assertThrows(GatewayException.class, events::hasNext);
            assertEquals(Status.Code.CANCELLED, failure.code());
        }
    }

    @Test
    void hostThatIsSilentForThreeIntervalsIsTakenForGone() throws InterruptedException {
        var gone = new CountDownLatch(1);
        var event = SessionEvent.newBuilder()
                .setSession(Session.newBuilder()
                        .setSessionId("a-session")
                        .setLeaseExpireTime(Timestamp.newBuilder().setSeconds(7060)));
        var response = OpenSessionResponse.newBuilder()
                .setEvent(event)
                .setHostTime(Timestamp.newBuilder().setSeconds(7000))
                .build();
        host.open = (request, stream) -> {
            stream.setOnCancelHandler(gone::countDown);
            stream.onNext(response);
        };
        var request = OpenRequest.to(DISPLAY).withHeartbeatInterval(Duration.ofMillis(100));
        try (var session = client.sessions().open(request)) {
            var events = session.events().iterator();
            events.next();
            assertEquals(Duration.ofSeconds(60), session.leaseLeft().orElseThrow());
            var failure = assertThrows(GatewayException.class, events::hasNext);
            assertEquals(Status.Code.UNAVAILABLE, failure.code());
            assertEquals("UNAVAILABLE: nothing was heard from the host for 300 ms", failure.getMessage());
            gone.await();
        }
    }

    @Test
    void watchThatHearsNothingIsAttachedAgain() {
        var attached = new AtomicInteger();
        host.watch = (request, stream) -> {
            if (attached.incrementAndGet() > 1) {
                stream.onNext(WatchSessionsResponse.newBuilder().setCursor("c1").build());
            }
        };
        var options = WatchOptions.FROM_NOW
                .withBookmarkInterval(Duration.ofMillis(100))
                .withBackoff(new Backoff(Duration.ZERO, Duration.ZERO));
        try (var watch = client.sessions().watch(options)) {
            var items = watch.iterator();
            var broken = (WatchItem.Disconnected<Session, SessionEvent>) items.next();
            assertEquals(Status.Code.UNAVAILABLE, broken.error().code());
            assertEquals(new WatchItem.Bookmark<>("c1"), items.next());
        }
    }

    @Test
    void answerWithoutItsSessionIsTheFaultOfTheHost() {
        host.get = request -> GetSessionResponse.getDefaultInstance();
        var failure =
                assertThrows(GatewayException.class, () -> client.sessions().get("a-session"));
        assertEquals(Status.Code.INTERNAL, failure.code());
    }

    @Test
    void leaseIsReckonedFromTheClockOfTheHost() {
        var session = Session.newBuilder()
                .setLeaseExpireTime(Timestamp.newBuilder().setSeconds(100))
                .build();
        var early = Timestamp.newBuilder().setSeconds(40).setNanos(500_000_000).build();
        var late = Timestamp.newBuilder().setSeconds(900).build();
        assertEquals(
                Duration.ofMillis(59_500), SessionAt.leaseLeft(session, early).orElseThrow());
        assertEquals(Duration.ZERO, SessionAt.leaseLeft(session, late).orElseThrow());
        assertTrue(SessionAt.leaseLeft(session, (Timestamp) null).isEmpty());
        assertTrue(SessionAt.leaseLeft(Session.getDefaultInstance(), late).isEmpty());
    }

    @Test
    void pagesAreAskedForAsTheyAreNeeded() {
        var asked = new AtomicInteger();
        host.list = request -> {
            asked.incrementAndGet();
            return switch (request.getPageToken()) {
                case "" -> page("second", "a", "b");
                case "second" -> page("third", "c");
                default -> throw Failures.received(Status.Code.INVALID_ARGUMENT);
            };
        };
        var ids = new ArrayList<String>();
        var failure = assertThrows(
                GatewayException.class,
                () -> client.sessions().list().forEach(session -> ids.add(session.getSessionId())));
        assertEquals(Status.Code.INVALID_ARGUMENT, failure.code());
        assertEquals(List.of("a", "b", "c"), ids);
        assertEquals("a", client.sessions().list().iterator().next().getSessionId());
        assertEquals(4, asked.get());
    }

    private static ListSessionsResponse page(String next, String... ids) {
        return ListSessionsResponse.newBuilder()
                .addAllSessions(Script.sessions(ids))
                .setNextPageToken(next)
                .build();
    }

    @Test
    void hostSendsNoFasterThanItIsRead() {
        int aheadMax = 500;
        int count = 4 * aheadMax;
        var sent = new AtomicInteger();
        var owner = ByteString.copyFrom(new byte[10_000]).toStringUtf8();
        var event = SessionEvent.newBuilder()
                .setSession(Session.newBuilder().setSessionId("a-session").setOwner(owner));
        var response = OpenSessionResponse.newBuilder().setEvent(event).build();
        host.open = (request, stream) -> stream.setOnReadyHandler(() -> {
            while (stream.isReady() && sent.get() < count) {
                stream.onNext(response);
                if (sent.incrementAndGet() == count) {
                    stream.onCompleted();
                }
            }
        });
        int read = 0;
        for (var ignored : client.sessions().open(DISPLAY).events()) {
            read++;
            assertTrue(sent.get() - read < aheadMax, "the host is %d ahead".formatted(sent.get() - read));
        }
        assertEquals(count, read);
    }
}
