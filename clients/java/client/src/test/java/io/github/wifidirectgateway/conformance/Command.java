package io.github.wifidirectgateway.conformance;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.time.Duration;

/** What an agent is to do; what is not said is empty. */
record Command(JsonObject json) {
    int id() {
        return number("id");
    }

    String what() {
        return text("do");
    }

    boolean has(String key) {
        return json.has(key);
    }

    String text(String key) {
        return has(key) ? json.get(key).getAsString() : "";
    }

    String[] texts(String key) {
        return has(key)
                ? json.getAsJsonArray(key).asList().stream()
                        .map(JsonElement::getAsString)
                        .toArray(String[]::new)
                : new String[0];
    }

    int number(String key) {
        return has(key) ? json.get(key).getAsInt() : 0;
    }

    Duration time(String key) {
        return Duration.ofMillis(number(key));
    }

    Duration time(String key, int milliseconds) {
        return has(key) ? time(key) : Duration.ofMillis(milliseconds);
    }

    /** Null where it is not given. */
    Path path(String key) {
        return has(key) ? Path.of(text(key)) : null;
    }

    boolean isSo(String key) {
        return has(key) && json.get(key).getAsBoolean();
    }
}
