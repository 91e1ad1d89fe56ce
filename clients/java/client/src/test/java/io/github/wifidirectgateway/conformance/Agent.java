package io.github.wifidirectgateway.conformance;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.wifidirectgateway.Backoff;
import io.github.wifidirectgateway.GatewayClient;
import io.github.wifidirectgateway.GatewayException;
import io.github.wifidirectgateway.OpenRequest;
import io.github.wifidirectgateway.WatchOptions;
import io.grpc.Metadata;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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
        } catch (IllegalArgumentException refused) {
            var error = new JsonObject();
            error.addProperty("code", "INVALID_ARGUMENT");
            error.addProperty("message", refused.getMessage());
            end.add("error", error);
        } catch (Exception untyped) {
            var error = new JsonObject();
            error.addProperty("code", "NOT_TYPED");
            error.addProperty("reason", untyped.toString());
            end.add("error", error);
        }
        leave.remove(command.id());
        write(command, "end", end);
    }

    private static Metadata metadata(JsonObject names) {
        var metadata = new Metadata();
        for (var name : names.keySet()) {
            metadata.put(
                    Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER),
                    names.get(name).getAsString());
        }
        return metadata;
    }

    private void connect(Command command) {
        if (client != null) {
            client.close();
        }
        var builder = GatewayClient.builder(command.text("address"));
        if (command.has("caFile")) {
            builder.caFile(Path.of(command.text("caFile")));
        }
        if (command.has("certFile") || command.has("keyFile")) {
            builder.identityFiles(command.path("certFile"), command.path("keyFile"));
        }
        if (command.has("token")) {
            builder.token(command.text("token"));
        }
        if (command.isSo("tokenFails")) {
            builder.token(() -> {
                throw new IllegalStateException("the vault is sealed");
            });
        }
        if (command.has("timeoutMs")) {
            builder.timeout(command.time("timeoutMs"));
        }
        if (command.has("connectTimeoutMs")) {
            builder.connectTimeout(command.time("connectTimeoutMs"));
        }
        if (command.has("metadata")) {
            var names = command.json().getAsJsonObject("metadata");
            builder.metadata(() -> metadata(names));
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
        if (command.has("heartbeatIntervalMs")) {
            request = request.withHeartbeatInterval(command.time("heartbeatIntervalMs"));
        }
        try (var session = client.sessions().open(request)) {
            leave.put(command.id(), session::detach);
            session.events().forEach(event -> give.accept(Items.of("event", Items.event(event))));
        }
    }

    private void watch(GatewayClient client, Command command, Consumer<JsonObject> give) {
        var options = WatchOptions.FROM_NOW
                .withCursor(command.text("cursor"))
                .withNames(command.texts("sessionIds"))
                .withBookmarkInterval(command.time("bookmarkIntervalMs"))
                .withBackoff(new Backoff(command.time("backoffInitialMs", 20), command.time("backoffMaxMs", 100)));
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
        void run();
    }
}
