package io.github.wifidirectgateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.wifidirectgateway.v1.CloseSessionResponse;
import io.github.wifidirectgateway.v1.GetSessionResponse;
import io.github.wifidirectgateway.v1.Session;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Context;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class GatewayClientTest {
    private static final StatusRuntimeException BUSY =
            Failures.received(Status.Code.UNAVAILABLE, Failures.retryIn(3600, 0));

    private ScriptedHost host;

    @BeforeEach
    void start() throws IOException {
        host = new ScriptedHost();
        host.get = request -> GetSessionResponse.newBuilder()
                .setSession(Session.getDefaultInstance())
                .setCursor(ScriptedHost.token())
                .build();
    }

    @AfterEach
    void stop() {
        host.close();
    }

    @Test
    void onThisMachineNothingNeedsToBeSaid() {
        try (var client = GatewayClient.connect(host.address())) {
            assertEquals("", client.sessions().get("a-session").cursor());
        }
    }

    @Test
    void tokenGoesWithEachCallAndIsAskedForEachTime() {
        var count = new AtomicInteger();
        try (var client = GatewayClient.builder(host.address())
                .token(() -> "token-" + count.incrementAndGet())
                .connect()) {
            assertEquals("Bearer token-1", client.sessions().get("a-session").cursor());
            assertEquals("Bearer token-2", client.sessions().get("a-session").cursor());
        }
    }

    @Test
    void tokenThatCannotBeHadFailsTheCall() {
        try (var client = GatewayClient.builder(host.address())
                .token(() -> {
                    throw new IllegalStateException("the vault is sealed");
                })
                .connect()) {
            var failure =
                    assertThrows(GatewayException.class, () -> client.sessions().get("a-session"));
            assertEquals(Status.Code.UNAVAILABLE, failure.code());
            assertTrue(failure.getMessage().contains("the vault is sealed"));
        }
    }

    @Test
    void tokenSourceMayThrowWhateverItLikes() {
        for (Supplier<String> source : List.<Supplier<String>>of(
                () -> {
                    throw new AssertionError("the vault is on fire");
                },
                () -> sneak(new IOException("the vault is on fire")))) {
            try (var client =
                    GatewayClient.builder(host.address()).token(source).connect()) {
                var failure = assertThrows(
                        GatewayException.class, () -> client.sessions().get("a-session"));
                assertEquals(Status.Code.UNAVAILABLE, failure.code());
                assertTrue(failure.getMessage().contains("the vault is on fire"));
            }
        }
    }

    /** Throws a checked exception where none is declared, as other languages of the JVM do. */
    @SuppressWarnings("unchecked")
    private static <E extends Exception> String sneak(Exception checked) throws E {
        throw (E) checked;
    }

    @ParameterizedTest
    @ValueSource(strings = {"secret\n", "sécret", "sec\0ret", ""})
    void tokenThatNoHeaderCanHoldIsRefusedAndNotShown(String token) {
        var builder = GatewayClient.builder(host.address());
        var refusal = assertThrows(IllegalArgumentException.class, () -> builder.token(token));
        assertTrue(refusal.getMessage().startsWith("token: "));
        assertTrue(token.isEmpty() || !refusal.getMessage().contains(token));
        try (var client = builder.token(() -> token).connect()) {
            var failure =
                    assertThrows(GatewayException.class, () -> client.sessions().get("a-session"));
            assertEquals(Status.Code.UNAVAILABLE, failure.code());
            assertTrue(token.isEmpty() || !failure.getMessage().contains(token));
        }
    }

    @Test
    void hookForMetadataIsAskedOnceForEachCallAndMayFailIt() {
        var key = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
        var count = new AtomicInteger();
        try (var client = GatewayClient.builder(host.address())
                .metadata(() -> {
                    if (count.incrementAndGet() > 2) {
                        throw new AssertionError("there is no trace");
                    }
                    var added = new Metadata();
                    added.put(key, "trace-" + count);
                    return added;
                })
                .connect()) {
            assertEquals("trace-1", client.sessions().get("a-session").cursor());
            assertEquals("trace-2", client.sessions().get("a-session").cursor());
            var failure =
                    assertThrows(GatewayException.class, () -> client.sessions().get("a-session"));
            assertEquals(Status.Code.UNAVAILABLE, failure.code());
            assertTrue(failure.getMessage().contains("there is no trace"));
        }
    }

    @Test
    void timesThatCannotBeAreRefused() {
        var builder = GatewayClient.builder(host.address());
        for (var time : List.of(Duration.ZERO, Duration.ofSeconds(-1))) {
            assertThrows(IllegalArgumentException.class, () -> builder.timeout(time));
            assertThrows(IllegalArgumentException.class, () -> builder.connectTimeout(time));
        }
        assertThrows(IllegalArgumentException.class, () -> new Backoff(Duration.ofSeconds(-1), Duration.ZERO));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "  ", "http://localhost:1", "https://host.example:1", "grpc://localhost:1", "tcp://localhost:1",
                "localhost:0", "localhost:65536", "localhost:abc", "localhost:", "localhost:1/path", ":50051",
                "[::1]:0", "local host:1"
            })
    void whatIsNoAddressIsRefused(String address) {
        var refusal = assertThrows(IllegalArgumentException.class, () -> GatewayClient.connect(address));
        assertTrue(refusal.getMessage().startsWith("the address "), refusal.getMessage());
    }

    @Test
    void whyThereIsNoConnectionIsTold() throws IOException {
        String refused = "127.0.0.1:" + freePort();
        for (var cause : Map.of(refused, "Connection refused", "no-such-host.invalid:1", "no-such-host.invalid")
                .entrySet()) {
            try (var client = GatewayClient.connect(cause.getKey())) {
                var failure = assertThrows(GatewayException.class, client::host);
                assertEquals(Status.Code.UNAVAILABLE, failure.code());
                assertTrue(failure.getMessage().contains(cause.getValue()), failure.getMessage());
                assertFalse(failure.getMessage().contains("Pipeline"), failure.getMessage());
            }
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void hostThatAcceptsAndIsSilentIsGivenUpAgainAndAgain() throws IOException {
        try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                var client = GatewayClient.builder("127.0.0.1:" + silent.getLocalPort())
                        .connectTimeout(Duration.ofMillis(300))
                        .connect()) {
            for (int i = 0; i < 2; i++) {
                var failure = assertThrows(GatewayException.class, client::host);
                assertEquals(Status.Code.UNAVAILABLE, failure.code());
                assertTrue(failure.getMessage().contains("no answer within 300 ms"), failure.getMessage());
            }
            var failure =
                    assertThrows(GatewayException.class, () -> client.sessions().open("a-device"));
            assertEquals(Status.Code.UNAVAILABLE, failure.code());
            var item = client.sessions().watch().iterator().next();
            assertTrue(item instanceof WatchItem.Disconnected);
        }
    }

    @Test
    void callThatHasItsConnectionIsNotGivenUp() {
        host.get = request -> {
            try {
                Thread.sleep(Duration.ofSeconds(4).toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return GetSessionResponse.newBuilder()
                    .setSession(Session.getDefaultInstance())
                    .setCursor("late")
                    .build();
        };
        try (var client = GatewayClient.builder(host.address())
                .connectTimeout(Duration.ofSeconds(3))
                .connect()) {
            assertEquals("late", client.sessions().get("a-session").cursor());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"host.example:50051", "10.0.0.7:50051", "dns:///host.example", "localhost.example:1"})
    void tokenNeverGoesToAnotherMachineInClearText(String address) {
        var clear = InsecureChannelCredentials.create();
        for (var credentials :
                List.of(clear, CompositeChannelCredentials.create(clear, new BearerToken(() -> "another")))) {
            var builder =
                    GatewayClient.builder(address).credentials(credentials).token("secret");
            var refusal = assertThrows(IllegalArgumentException.class, builder::connect);
            assertTrue(refusal.getMessage().contains("clear text"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost:1", "LOCALHOST", "127.8.9.1:1", "[::1]:1", "dns:///localhost:1", "unix:/run/x"})
    void tokenGoesToThisMachineInClearText(String address) {
        GatewayClient.builder(address).token("secret").connect().close();
    }

    @Test
    void unaryCallsHaveADeadlineButWhereTheyWait() {
        var seen = new ArrayList<Long>();
        host.get = request -> {
            seen.add(secondsLeft());
            return GetSessionResponse.newBuilder()
                    .setSession(Session.getDefaultInstance())
                    .build();
        };
        host.close = request -> {
            assertTrue(request.getWaitForDisconnect());
            seen.add(secondsLeft());
            return CloseSessionResponse.newBuilder()
                    .setSession(Session.getDefaultInstance())
                    .build();
        };
        var clock = Executors.newSingleThreadScheduledExecutor();
        try (var client = GatewayClient.connect(host.address());
                var unbounded =
                        GatewayClient.builder(host.address()).noTimeout().connect();
                var minute = Context.current().withDeadlineAfter(1, TimeUnit.MINUTES, clock)) {
            client.sessions().get("a-session");
            client.sessions().closeAndWait("a-session");
            unbounded.sessions().get("a-session");
            minute.run(() -> client.sessions().get("a-session"));
        } finally {
            clock.shutdownNow();
        }
        assertEquals(Arrays.asList(10L, null, null, 60L), seen);
    }

    /** Of the caller's deadline, rounded up to tens. */
    private static Long secondsLeft() {
        var deadline = Context.current().getDeadline();
        return deadline == null ? null : deadline.timeRemaining(TimeUnit.MILLISECONDS) / 10_000 * 10 + 10;
    }

    @Test
    void interruptedThreadEndsItsCallAndStaysInterrupted() {
        try (var client = GatewayClient.connect(host.address())) {
            Thread.currentThread().interrupt();
            var failure =
                    assertThrows(GatewayException.class, () -> client.sessions().get("a-session"));
            assertTrue(Thread.interrupted());
            assertEquals(Status.Code.CANCELLED, failure.code());
        }
    }

    @Test
    void closedClientEndsItsCalls() {
        var client = GatewayClient.connect(host.address());
        client.close();
        client.close();
        var failure =
                assertThrows(GatewayException.class, () -> client.sessions().get("a-session"));
        assertEquals(Status.Code.CANCELLED, failure.code());
        assertEquals("CANCELLED: the client was closed", failure.getMessage());
    }

    @Test
    void deadlineOfTheContextEndsAWatchThatPauses() {
        host.watch = (request, stream) -> stream.onError(BUSY);
        var clock = Executors.newSingleThreadScheduledExecutor();
        try (var client = GatewayClient.connect(host.address());
                var soon = Context.current().withDeadlineAfter(1, TimeUnit.SECONDS, clock)) {
            soon.run(() -> {
                var items = client.sessions().watch().iterator();
                assertTrue(items.next() instanceof WatchItem.Disconnected);
                var failure = assertThrows(GatewayException.class, items::hasNext);
                assertEquals(Status.Code.DEADLINE_EXCEEDED, failure.code());
            });
        } finally {
            clock.shutdownNow();
        }
    }

    @Test
    void closedClientEndsAWatchThatPauses() {
        host.watch = (request, stream) -> stream.onError(BUSY);
        var client = GatewayClient.connect(host.address());
        var items = client.sessions().watch().iterator();
        assertTrue(items.next() instanceof WatchItem.Disconnected);
        var closing = new Thread(client::close);
        closing.start();
        var failure = assertThrows(GatewayException.class, items::hasNext);
        assertEquals("CANCELLED: the client was closed", failure.getMessage());
        assertFalse(items.hasNext());
    }
}
