package walkthrough;

import io.github.wifidirectgateway.GatewayClient;
import io.github.wifidirectgateway.GatewayException;
import io.github.wifidirectgateway.HeldSession;
import io.github.wifidirectgateway.v1.Device;
import io.github.wifidirectgateway.v1.DisconnectEvidence;
import io.github.wifidirectgateway.v1.ErrorReason;
import io.github.wifidirectgateway.v1.SessionEvent;
import io.github.wifidirectgateway.v1.SessionState;
import io.grpc.Context;
import java.io.IOException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * A remote client's walk through the life of three sessions, and of a watch that is cut:
 *
 * <pre>mvn -q test-compile exec:java -Dexec.args=HOST:PORT</pre>
 *
 * <p>It knows the host only by its address, and fails where something is not as the contract says.
 */
public final class Walkthrough {
    private Walkthrough() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("Usage: Walkthrough HOST:PORT");
            System.exit(64);
        }
        var clock = Executors.newSingleThreadScheduledExecutor();
        try (var context = Context.current().withDeadlineAfter(1, TimeUnit.MINUTES, clock)) {
            context.call(() -> walk(args[0]));
        } finally {
            clock.shutdownNow();
        }
        System.out.println("\nok");
    }

    private static Void walk(String address) throws IOException {
        try (var client = GatewayClient.connect(address)) {
            var host = client.host();
            System.out.printf(
                    "The host is %s, its driver %s. Its paired devices:%n",
                    host.getHostname(), Telling.withoutPrefix(host.getDriver().getKind()));
            Device near = null;
            Device far = null;
            for (var device : client.devices().list()) {
                System.out.printf("  %s  %s%n", device.getDeviceAddress(), device.getName());
                if (near == null && device.getIsVisible() && !device.getIsLegacy()) {
                    near = device;
                } else if (far == null && device.hasIsVisible() && !device.getIsVisible()) {
                    far = device;
                }
            }
            Telling.expect(near != null && far != null, "the host has the devices that this walk needs");

            Telling.chapter(1, "A session to %s opens, and is closed".formatted(near.getName()));
            openAndClose(client, near);
            Telling.chapter(2, "A session to %s, which is out of range, fails".formatted(far.getName()));
            fail(client, far);
            Telling.chapter(3, "A session to %s is cancelled while it opens".formatted(near.getName()));
            cancel(client, near);
            Telling.chapter(4, "A watch is cut off, misses a session, and resumes");
            CutWatch.walk(client, address, near);
        }
        return null;
    }

    private static void openAndClose(GatewayClient client, Device device) {
        try (var session = client.sessions().open(device.getDeviceAddress())) {
            var opened = session.waitOpen();
            Telling.tell("OPEN", "interface " + opened.getNetworkInterface().getGuid());
            var closed = session.closeAndWait();
            tellEvents(session);
            var evidence = closed.getEnd().getEvidence();
            Telling.tell("", "evidence " + Telling.withoutPrefix(evidence));
            Telling.expect(
                    closed.getState() == SessionState.SESSION_STATE_CLOSED
                            && evidence != DisconnectEvidence.DISCONNECT_EVIDENCE_UNCONFIRMED,
                    "the end of the connection was seen");
        }
    }

    private static void fail(GatewayClient client, Device device) {
        try (var session = client.sessions().open(device.getDeviceAddress())) {
            tellEvents(session);
            throw new IllegalStateException("not as promised: the open has succeeded");
        } catch (GatewayException failure) {
            Telling.tell("", failure.code() + ", " + failure.reasonName());
            var said = failure.nativeResult().orElseThrow();
            Telling.tell(
                    "",
                    "%s: %d %s"
                            .formatted(said.getFunction(), failure.nativeCode().orElseThrow(), said.getName()));
            Telling.tell(
                    "", "reason %d: %s".formatted(Integer.toUnsignedLong(said.getReasonCode()), said.getReasonText()));
            Telling.expect(failure.reason() == ErrorReason.ERROR_REASON_OPEN_FAILED, "the reason is OPEN_FAILED");
        }
    }

    private static void cancel(GatewayClient client, Device device) {
        try (var session = client.sessions().open(device.getDeviceAddress())) {
            client.sessions().cancel(session.id());
            var last = tellEvents(session).getSession().getState();
            Telling.expect(last == SessionState.SESSION_STATE_CANCELLED, "a cancelled session ends CANCELLED");
        }
    }

    /** The last of them. */
    private static SessionEvent tellEvents(HeldSession session) {
        var last = SessionEvent.getDefaultInstance();
        for (var event : session.events()) {
            Telling.tell(Telling.withoutPrefix(event.getType()), "");
            last = event;
        }
        return last;
    }
}
