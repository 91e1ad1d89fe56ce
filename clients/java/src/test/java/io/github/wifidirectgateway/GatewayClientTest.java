package io.github.wifidirectgateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.wifidirectgateway.v1.CloseSessionResponse;
import io.github.wifidirectgateway.v1.GetSessionResponse;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Context;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
        host.get = request ->
                GetSessionResponse.newBuilder().setCursor(ScriptedHost.token()).build();
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

    @ParameterizedTest
    @ValueSource(strings = {"secret\n", "sécret", "sec\0ret"})
    void tokenThatNoHeaderCanHoldFailsTheCallAndIsNotShown(String token) {
        try (var client = GatewayClient.builder(host.address()).token(token).connect()) {
            var failure =
                    assertThrows(GatewayException.class, () -> client.sessions().get("a-session"));
            assertEquals(Status.Code.UNAVAILABLE, failure.code());
            assertTrue(failure.getMessage().contains("no header can hold"));
            assertFalse(failure.getMessage().contains(token));
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
            return GetSessionResponse.getDefaultInstance();
        };
        host.close = request -> {
            assertTrue(request.getWaitForDisconnect());
            seen.add(secondsLeft());
            return CloseSessionResponse.getDefaultInstance();
        };
        var clock = Executors.newSingleThreadScheduledExecutor();
        try (var client = GatewayClient.connect(host.address());
                var unbounded = GatewayClient.builder(host.address())
                        .timeout(Duration.ZERO)
                        .connect();
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
