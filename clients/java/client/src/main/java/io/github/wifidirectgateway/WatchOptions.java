package io.github.wifidirectgateway;

import java.time.Duration;
import java.util.List;

/**
 * What a watch shows, and where it starts. Start with {@link #FROM_NOW}; each {@code with} method returns new options.
 *
 * @param cursor resumes after this cursor; empty means from now on, with a snapshot. Cursors of sessions and of devices
 *     are different
 * @param names only the sessions with these ids, or the devices with these addresses; empty means all that the caller
 *     can see
 * @param bookmarkInterval how long the stream can be quiet before the host sends a bookmark, 1 s to 5 min; 0 means 10
 *     s. A stream that is silent for three intervals is considered broken
 * @param backoff the pauses between attempts
 */
public record WatchOptions(String cursor, List<String> names, Duration bookmarkInterval, Backoff backoff) {
    /** Everything, from now on. */
    public static final WatchOptions FROM_NOW = new WatchOptions("", List.of(), Duration.ZERO, Backoff.DEFAULT);

    /** The host's default. */
    static final Duration BOOKMARK_INTERVAL = Duration.ofSeconds(10);

    /**
     * Keeps a copy of the names.
     *
     * @param cursor the cursor of an item of a watch, or of an answer; empty means from now on
     * @param names ids of sessions, or addresses of devices; none means all
     * @param bookmarkInterval 1 s to 5 min; 0 means 10 s
     * @param backoff the pauses between attempts
     */
    public WatchOptions {
        names = List.copyOf(names);
    }

    /**
     * Resumes after a cursor.
     *
     * @param cursor the cursor of an item of a watch, or of an answer; empty means from now on
     * @return the new options
     */
    public WatchOptions withCursor(String cursor) {
        return new WatchOptions(cursor, names, bookmarkInterval, backoff);
    }

    /**
     * Shows only these.
     *
     * @param names ids of sessions, or addresses of devices; none means all
     * @return the new options
     */
    public WatchOptions withNames(String... names) {
        return new WatchOptions(cursor, List.of(names), bookmarkInterval, backoff);
    }

    /**
     * Sets how long the stream can be quiet before the host sends a bookmark.
     *
     * @param bookmarkInterval 1 s to 5 min; 0 means 10 s
     * @return the new options
     */
    public WatchOptions withBookmarkInterval(Duration bookmarkInterval) {
        return new WatchOptions(cursor, names, bookmarkInterval, backoff);
    }

    /**
     * Sets the pauses between attempts.
     *
     * @param backoff the pauses between attempts
     * @return the new options
     */
    public WatchOptions withBackoff(Backoff backoff) {
        return new WatchOptions(cursor, names, bookmarkInterval, backoff);
    }
}
