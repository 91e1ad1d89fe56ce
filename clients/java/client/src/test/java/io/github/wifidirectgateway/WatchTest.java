package io.github.wifidirectgateway;

import static io.github.wifidirectgateway.Script.HALF;
import static io.github.wifidirectgateway.Script.events;
import static io.github.wifidirectgateway.Script.part;
import static io.github.wifidirectgateway.Script.snapshot;
import static io.github.wifidirectgateway.Script.stream;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.wifidirectgateway.v1.Session;
import io.github.wifidirectgateway.v1.SessionEvent;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class WatchTest {
    private static final StatusRuntimeException BROKEN = Failures.received(Code.UNAVAILABLE);
    private static final StatusRuntimeException STOPPING =
            Failures.received(Code.UNAVAILABLE, Failures.info("HOST_STOPPING"), Failures.retryIn(5, 0));

    @Test
    void snapshotThatComesInPartsIsToldAsOne() {
        var script = new Script("", HALF, stream(BROKEN, part("a", "b"), part("c"), snapshot("c1", "d"))).run();
        var told = (WatchItem.Snapshot<Session, SessionEvent>) script.items.get(0);
        assertEquals(Script.sessions("a", "b", "c", "d"), told.items());
        assertEquals("c1", told.cursor());
    }

    @Test
    void hostWithoutSessionsIsToldByAnEmptySnapshot() {
        assertEquals(
                List.of(List.of(), Code.UNAVAILABLE),
                new Script("", HALF, stream(BROKEN, snapshot("c1"))).run().told());
    }

    @Test
    void bookmarkIsResumedFrom() {
        var script = new Script("c1", HALF, stream(BROKEN, events("c7")), stream(BROKEN)).run();
        assertEquals(new WatchItem.Bookmark<>("c7"), script.items.get(0));
        assertEquals(List.of("c1", "c7"), script.cursors);
    }

    @Test
    void cursorOfAnEventNeverSkipsThoseThatCameWithIt() {
        var script = new Script("c0", HALF, stream(BROKEN, events("c1", 1), events("c4", 2, 3, 4))).run();
        var cursors =
                script.items.stream().limit(4).map(item -> ((WatchItem.Change<Session, SessionEvent>) item).cursor());
        assertEquals(List.of("c1", "c1", "c1", "c4"), cursors.toList());
    }

    @ParameterizedTest
    @MethodSource("thatMayHeal")
    void watchGoesOnWithoutGapOrDouble(StatusRuntimeException error, Code code) {
        var script = new Script(
                        "",
                        HALF,
                        stream(error, snapshot("c0", "a"), events("c2", 1, 2)),
                        stream(error, events("c3", 3), events("c5", 4, 5)),
                        stream(error, events("c6", 6)))
                .run();
        assertEquals(List.of("", "c2", "c5"), script.cursors);
        assertEquals(List.of(List.of("a"), 1L, 2L, code, 3L, 4L, 5L, code, 6L, code), script.told());
    }

    static Stream<Object[]> thatMayHeal() {
        return Stream.of(
                new Object[] {BROKEN, Code.UNAVAILABLE},
                new Object[] {STOPPING, Code.UNAVAILABLE},
                new Object[] {
                    Failures.received(Code.RESOURCE_EXHAUSTED, Failures.info("WATCHER_TOO_SLOW")),
                    Code.RESOURCE_EXHAUSTED
                },
                new Object[] {Failures.received(Code.INTERNAL, Failures.info("NEW_AND_STRANGE")), Code.INTERNAL},
                new Object[] {null, Code.UNAVAILABLE});
    }

    @Test
    void expiredCursorIsToldAndANewSnapshotFollows() {
        var expired = Failures.received(Code.OUT_OF_RANGE, Failures.info("CURSOR_EXPIRED"));
        var script =
                new Script("c9", HALF, stream(expired), stream(BROKEN, snapshot("d4", "z"), events("d5", 5))).run();
        assertEquals(List.of("c9", ""), script.cursors);
        assertEquals(List.of(Code.OUT_OF_RANGE, List.of("z"), 5L, Code.UNAVAILABLE), script.told());
    }

    @Test
    void snapshotThatBrokeOffIsAskedForAnew() {
        var script = new Script("", HALF, stream(BROKEN, part("a", "b")), stream(BROKEN, snapshot("c1", "a"))).run();
        assertEquals(List.of("", ""), script.cursors);
        assertEquals(List.of(Code.UNAVAILABLE, List.of("a"), Code.UNAVAILABLE), script.told());
    }

    @Test
    void pausesDoubleUpToTheirBoundAndStartOverAfterGoodHealth() {
        var script = new Script("c0", HALF);
        for (int i = 0; i < 9; i++) {
            script.add(stream(BROKEN, events("c1", 1)));
        }
        script.add(
                script.standing(Watching.HEALTHY.minusMillis(1), BROKEN, events("c2", 2)),
                script.standing(Watching.HEALTHY, BROKEN, events("c3", 3)));
        assertEquals(
                milliseconds(0, 125, 250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000, 125), script.run().pauses);
    }

    @Test
    void answerAfterFailuresToReachTheHostStartsThePausesOverOnce() {
        var busy = Failures.received(Code.RESOURCE_EXHAUSTED, Failures.info("QUOTA_EXCEEDED"));
        var expired = Failures.received(Code.OUT_OF_RANGE, Failures.info("CURSOR_EXPIRED"));
        var script = new Script("c0", HALF);
        for (var error : List.of(BROKEN, BROKEN, BROKEN, BROKEN, expired, busy, busy, BROKEN)) {
            script.add(stream(error));
        }
        assertEquals(milliseconds(0, 125, 250, 500, 1000, 125, 250, 500, 1000), script.run().pauses);
    }

    private static List<Duration> milliseconds(long... times) {
        return LongStream.of(times).mapToObj(Duration::ofMillis).toList();
    }

    @Test
    void hostThatAsksForYearsIsAskedAgainInFiveMinutes() {
        var error = Failures.received(
                Code.UNAVAILABLE, Failures.info("HOST_STOPPING"), Failures.retryIn(Long.MAX_VALUE, 0));
        assertEquals(
                Duration.ofMinutes(5).plusMillis(125),
                new Script("c0", HALF, stream(error)).run().pauses.get(1));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0.25, 250", "0.999, 999"})
    void pauseIsDrawnAtRandom(double drawn, long milliseconds) {
        var backoff = new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(30), () -> drawn);
        var script = new Script("c0", backoff, stream(BROKEN)).run();
        assertEquals(Duration.ofMillis(milliseconds), script.pauses.get(1));
    }

    @Test
    void pauseThatTheHostAsksForIsKept() {
        var script = new Script("c0", HALF, stream(STOPPING)).run();
        assertEquals(List.of(Duration.ZERO, Duration.ofMillis(5125)), script.pauses);
        var told = (WatchItem.Disconnected<Session, SessionEvent>) script.items.get(0);
        assertEquals(Duration.ofMillis(5125), told.retryIn());
    }

    @ParameterizedTest
    @EnumSource(names = {"UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT", "UNIMPLEMENTED"})
    void watchGivesUpWhereTryingAgainCannotHelp(Code code) {
        var script = new Script("", HALF, stream(Failures.received(code), events("c1", 1)), stream(BROKEN)).run();
        assertEquals(List.of(1L), script.told());
        assertEquals(code, script.failure.code());
        assertEquals(1, script.cursors.size());
    }

    @Test
    void whoLeavesGetsNoMoreThanWasPromisedAndNothingIsAttachedAgain() {
        var script = new Script("", HALF, stream(BROKEN, events("c9", 1, 2, 3)), stream(BROKEN));
        var items = script.watch.iterator();
        items.next();
        assertTrue(items.hasNext());
        script.watch.close();
        script.watch.close();
        items.next();
        assertFalse(items.hasNext());
        assertThrows(NoSuchElementException.class, items::next);
        assertEquals(1, script.cursors.size());
        assertThrows(IllegalStateException.class, script.watch::iterator);
    }

    @Test
    void interruptedThreadEndsTheWatchAndStaysInterrupted() {
        var cancelled = Status.CANCELLED.asRuntimeException();
        var script = new Script(
                "",
                HALF,
                () -> {
                    Thread.currentThread().interrupt();
                    throw cancelled;
                },
                stream(BROKEN));
        script.run();
        assertTrue(Thread.interrupted());
        assertEquals(Code.CANCELLED, script.failure.code());
        assertEquals(1, script.cursors.size());
    }
}
