package walkthrough;

import java.util.Locale;

/** How the walk tells what it sees. */
final class Telling {
    private static long started = System.nanoTime();

    private Telling() {}

    static void chapter(int number, String title) {
        System.out.printf("%n%d. %s%n", number, title);
        started = System.nanoTime();
    }

    static void tell(String label, String text) {
        double seconds = (System.nanoTime() - started) / 1e9;
        System.out.println(String.format(Locale.ROOT, "   +%.3f s  %-12s %s", seconds, label, text)
                .stripTrailing());
    }

    static String withoutPrefix(Enum<?> value) {
        return value.name().replaceFirst("^(DRIVER_KIND|SESSION_EVENT_TYPE|DISCONNECT_EVIDENCE)_", "");
    }

    static void expect(boolean isSo, String what) {
        if (!isSo) {
            throw new IllegalStateException("not as promised: " + what);
        }
    }
}
