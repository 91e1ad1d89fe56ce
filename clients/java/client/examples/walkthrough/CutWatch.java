package walkthrough;

import io.github.wifidirectgateway.Backoff;
import io.github.wifidirectgateway.GatewayClient;
import io.github.wifidirectgateway.WatchItem;
import io.github.wifidirectgateway.WatchOptions;
import io.github.wifidirectgateway.v1.Device;
import io.github.wifidirectgateway.v1.Session;
import io.github.wifidirectgateway.v1.SessionEvent;
import io.github.wifidirectgateway.v1.SessionState;
import java.io.IOException;
import java.time.Duration;

/** A watch by a way of its own, which is cut while a session comes and goes. */
final class CutWatch {
    private CutWatch() {}

    static void walk(GatewayClient client, String address, Device device) throws IOException {
        var options = WatchOptions.FROM_NOW.withBackoff(new Backoff(Duration.ofMillis(50), Duration.ofMillis(200)));
        try (var way = new Way(address);
                var watcher = GatewayClient.connect(way.address());
                var watch = watcher.sessions().watch(options)) {
            String missed = "";
            long last = 0;
            for (var item : watch) {
                if (item instanceof WatchItem.Snapshot<Session, SessionEvent> all) {
                    Telling.tell("snapshot", all.items().size() + " sessions");
                    way.cut();
                    missed = openAndClose(client, device);
                } else if (item instanceof WatchItem.Disconnected<Session, SessionEvent> disconnected) {
                    Telling.expect(!missed.isEmpty(), "the watch stands until it is cut");
                    Telling.tell(
                            "disconnected", "again in " + disconnected.retryIn().toMillis() + " ms");
                    way.mend();
                } else if (item instanceof WatchItem.Change<Session, SessionEvent> change) {
                    var event = change.event();
                    Telling.tell(Telling.withoutPrefix(event.getType()), "");
                    Telling.expect(last == 0 || event.getSequence() == last + 1, "no event is skipped or comes twice");
                    last = event.getSequence();
                    if (event.getSession().getSessionId().equals(missed)
                            && event.getSession().getState() == SessionState.SESSION_STATE_CLOSED) {
                        return;
                    }
                }
            }
        }
    }

    /** Its name. */
    private static String openAndClose(GatewayClient client, Device device) {
        try (var session = client.sessions().open(device.getDeviceAddress())) {
            session.waitOpen();
            session.closeAndWait();
            Telling.tell("", "meanwhile, a session came and went");
            return session.id();
        }
    }
}
