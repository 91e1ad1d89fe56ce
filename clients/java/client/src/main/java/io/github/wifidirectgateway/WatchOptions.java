package io.github.wifidirectgateway;

import java.time.Duration;
import java.util.List;

/**
 * What a watch shows, and from where. Begins with {@link #FROM_NOW}; each {@code with} answers with options of its own.
 *
 * @param cursor resume after it; empty: from now, after a snapshot. Sessions and devices have cursors of their own
 * @param names only the sessions of these ids, or the devices of these addresses; empty: all that the caller may see
 * @param bookmarkInterval how long a silence lasts before a bookmark comes, 1 s to 5 min; 0: 10 s. A stream that is
 *     silent for three of them is taken for broken
 * @param backoff the pauses between attempts
 */
public record WatchOptions(String cursor, List<String> names, Duration bookmarkInterval, Backoff backoff) {
    /** Everything, from now. */
    public static final WatchOptions FROM_NOW = new WatchOptions("", List.of(), Duration.ZERO, Backoff.DEFAULT);

    /** What a host takes where nothing is said. */
    static final Duration BOOKMARK_INTERVAL = Duration.ofSeconds(10);

    /**
     * Keeps a copy of the names.
     *
     * @param cursor of an item of a watch, or of an answer; empty: from now
     * @param names ids of sessions, or addresses of devices; none: all
     * @param bookmarkInterval 1 s to 5 min; 0: 10 s
     * @param backoff how they grow
     */
    public WatchOptions {
        names = List.copyOf(names);
    }

    /**
     * Resumes after a cursor.
     *
     * @param cursor of an item of a watch, or of an answer; empty: from now
     * @return options of their own
     */
    public WatchOptions withCursor(String cursor) {
        return new WatchOptions(cursor, names, bookmarkInterval, backoff);
    }

    /**
     * Shows these only.
     *
     * @param names ids of sessions, or addresses of devices; none: all
     * @return options of their own
     */
    public WatchOptions withNames(String... names) {
        return new WatchOptions(cursor, List.of(names), bookmarkInterval, backoff);
    }

    /**
     * Says how often there is to be a bookmark.
     *
     * @param bookmarkInterval 1 s to 5 min; 0: 10 s
     * @return options of their own
     */
    public WatchOptions withBookmarkInterval(Duration bookmarkInterval) {
        return new WatchOptions(cursor, names, bookmarkInterval, backoff);
    }

    /**
     * Sets the pauses between attempts.
     *
     * @param backoff how they grow
     * @return options of their own
     */
    public WatchOptions withBackoff(Backoff backoff) {
        return new WatchOptions(cursor, names, bookmarkInterval, backoff);
    }
}
