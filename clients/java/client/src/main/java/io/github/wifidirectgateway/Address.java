package io.github.wifidirectgateway;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The address of a host: {@code host:port} or {@code unix:/path}. */
record Address(String text) {
    private static final Pattern SCHEME = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*)://+(.*)");
    private static final Set<String> SCHEMES = Set.of("dns", "ipv4", "ipv6", "passthrough", "unix", "xds");
    private static final Pattern PORT = Pattern.compile("(?:[^:]*|\\[.*]):([^:]*)");
    private static final Pattern THIS_MACHINE =
            Pattern.compile("(unix:.*|(dns:(///)?)?(localhost|127(\\.\\d{1,3}){3}|\\[::1])(:\\d+)?)");
    private static final Pattern UNIX_SOCKET = Pattern.compile("(?i)unix:.*");
    private static final int PORT_MAX = 65_535;

    /** Refuses an invalid address. */
    Address {
        if (text == null || text.isBlank()) {
            throw new IllegalArgumentException("the address is empty; give host:port, or unix:/path");
        }
        Matcher schemed = SCHEME.matcher(text);
        if (schemed.matches() && !SCHEMES.contains(schemed.group(1))) {
            throw new IllegalArgumentException(
                    "the address \"%s\" has a scheme; write \"%s\" (credentials say whether it is TLS)"
                            .formatted(text, schemed.group(2)));
        }
        if (!schemed.matches() && !UNIX_SOCKET.matcher(text).matches()) {
            checkHostAndPort(text);
        }
    }

    boolean isThisMachine() {
        return THIS_MACHINE.matcher(text).matches();
    }

    boolean isUnixSocket() {
        return UNIX_SOCKET.matcher(text).matches();
    }

    private static void checkHostAndPort(String text) {
        if (text.contains("/") || text.chars().anyMatch(Character::isWhitespace) || text.startsWith(":")) {
            throw new IllegalArgumentException(
                    "the address \"%s\" is neither host:port nor unix:/path".formatted(text));
        }
        Matcher port = PORT.matcher(text);
        if (port.matches() && !isPort(port.group(1))) {
            throw new IllegalArgumentException(
                    "the address \"%s\" has no port that can be: it is 1 to %d".formatted(text, PORT_MAX));
        }
    }

    private static boolean isPort(String text) {
        try {
            int port = Integer.parseInt(text);
            return port >= 1 && port <= PORT_MAX;
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
