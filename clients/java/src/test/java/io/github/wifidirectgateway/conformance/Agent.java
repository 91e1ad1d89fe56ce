package io.github.wifidirectgateway.conformance;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.wifidirectgateway.Backoff;
import io.github.wifidirectgateway.GatewayClient;
import io.github.wifidirectgateway.GatewayException;
import io.github.wifidirectgateway.OpenRequest;
import io.github.wifidirectgateway.WatchOptions;
import io.grpc.TlsChannelCredentials;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Does through the library what lines of JSON on the standard input say, for the tests of all clients. The words are
 * those of test/conformance/protocol.ts. Gson comes with gRPC.
 */
public final class Agent {
    private final PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private final Map<Integer, Runnable> leave = new ConcurrentHashMap<>();
    private GatewayClient client;

    public static void main(String[] args) throws IOException {
        var agent = new Agent();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            agent.begin(new Command(JsonParser.parseString(line).getAsJsonObject()));
        }
    }

    private void begin(Command command) {
        switch (command.what()) {
            case "connect" -> run(command, () -> connect(command));
            case "leave" ->
                run(
                        command,
                        () -> leave.getOrDefault(command.number("command"), () -> {})
                                .run());
            default -> {
                var at = client;
                var thread = new Thread(() -> run(command, () -> carryOut(at, command)));
                thread.setDaemon(true);
                thread.start();
            }
        }
    }

    private void run(Command command, Task task) {
        var end = new JsonObject();
        try {
            task.run();
        } catch (GatewayException error) {
            end.add("error", Items.error(error));
        } catch (Exception untyped) {
            var error = new JsonObject();
            error.addProperty("code", "NOT_TYPED");
            error.addProperty("reason", untyped.toString());
            end.add("error", error);
        }
        leave.remove(command.id());
        write(command, "end", end);
    }

    private void connect(Command command) throws IOException {
        if (client != null) {
            client.close();
        }
        var builder = GatewayClient.builder(command.text("address"));
        if (command.has("caFile")) {
            var tls = TlsChannelCredentials.newBuilder().trustManager(new File(command.text("caFile")));
            if (command.has("certFile")) {
                tls.keyManager(new File(command.text("certFile")), new File(command.text("keyFile")));
            }
            builder.credentials(tls.build());
        }
        if (command.has("token")) {
            builder.token(command.text("token"));
        }
        client = builder.connect();
    }

    private void carryOut(GatewayClient client, Command command) {
        Consumer<JsonObject> give = item -> write(command, "item", item);
        var sessions = client.sessions();
        String sessionId = command.text("sessionId");
        switch (command.what()) {
            case "open" -> open(client, command, give);
            case "watch" -> watch(client, command, give);
            case "get" -> give.accept(Items.sessionAt(sessions.get(sessionId)));
            case "cancel" -> give.accept(Items.sessionAt(sessions.cancel(sessionId)));
            case "close" ->
                give.accept(Items.sessionAt(
                        command.isSo("wait") ? sessions.closeAndWait(sessionId) : sessions.close(sessionId)));
            case "renew" -> give.accept(Items.sessionAt(sessions.renew(sessionId, command.time("leaseTtlMs"))));
            case "sessions" ->
                sessions.list().forEach(session -> give.accept(Items.of("session", Items.session(session))));
            case "devices" -> client.devices().list().forEach(device -> give.accept(Items.device(device)));
            case "find" ->
                give.accept(Items.device(client.devices()
                        .updateVisibility(command.text("deviceAddress"))
                        .getDevice()));
            case "host" -> give.accept(Items.host(client.host(), client.health()));
            default -> throw new IllegalArgumentException("there is no " + command.what());
        }
    }

    private void open(GatewayClient client, Command command, Consumer<JsonObject> give) {
        var request = OpenRequest.to(command.text("deviceAddress"))
                .withSessionId(command.text("sessionId"))
                .withRequestId(command.text("requestId"))
                .withOpenTimeout(command.time("openTimeoutMs"))
                .withLeaseTtl(command.time("leaseTtlMs"));
        try (var session = client.sessions().open(request)) {
            leave.put(command.id(), session::detach);
            session.events().forEach(event -> give.accept(Items.of("event", Items.event(event))));
        }
    }

    private void watch(GatewayClient client, Command command, Consumer<JsonObject> give) {
        var options = WatchOptions.FROM_NOW
                .withCursor(command.text("cursor"))
                .withNames(command.texts("sessionIds"))
                .withBackoff(new Backoff(Duration.ofMillis(20), Duration.ofMillis(100)));
        try (var watch = client.sessions().watch(options)) {
            leave.put(command.id(), watch::close);
            watch.forEach(item -> give.accept(Items.watched(item)));
        }
    }

    private synchronized void write(Command command, String key, JsonObject value) {
        var line = new JsonObject();
        line.addProperty("id", command.id());
        line.add(key, value);
        output.println(line);
    }

    private interface Task {
        void run() throws IOException;
    }
}
