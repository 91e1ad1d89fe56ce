#include "watching.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <string>
#include <variant>
#include <vector>

#include "host.h"
#include "told.h"
#include "wifidirect/v1/session_service.pb.h"

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using wifidirect::Backoff;
using wifidirect::Error;
namespace v1 = wifidirect::v1;

namespace {

using Watching = wifidirect::Watching<v1::Session, v1::SessionEvent>;

/// Makes the pauses 125, 250, 500, ... ms.
const Backoff half{.random = [] { return 0.5; }};

const Error broken(grpc::Status(grpc::UNAVAILABLE, "the connection broke"));

milliseconds pause_of(const Backoff& backoff, const Error& error = broken) {
    return Watching("", backoff).broke(error).retry_in;
}

}  // namespace

TEST(Watching, TellsASnapshotThatComesInPartsAsOne) {
    Watching watching("", half);
    EXPECT_THAT(watching.take(part_of_snapshot({"a", "b"})), IsEmpty());
    EXPECT_THAT(watching.take(part_of_snapshot({"c"})), IsEmpty());
    const auto items = watching.take(snapshot_at("c1", {"d"}));
    EXPECT_THAT(told(items), ElementsAre("a b c d @c1"));
    EXPECT_EQ(watching.cursor(), "c1");
}

TEST(Watching, TellsAHostWithoutSessionsByAnEmptySnapshot) {
    EXPECT_THAT(told(Watching("", half).take(snapshot_at("c1", {}))), ElementsAre("nothing @c1"));
}

TEST(Watching, ResumesFromABookmark) {
    Watching watching("c1", half);
    EXPECT_THAT(told(watching.take(events_to("c7", {}))), ElementsAre("bookmark @c7"));
    watching.broke(broken);
    EXPECT_EQ(watching.cursor(), "c7");
}

TEST(Watching, GivesNoEventACursorThatSkipsWhatCameWithIt) {
    Watching watching("c0", half);
    EXPECT_THAT(told(watching.take(events_to("c1", {1}))), ElementsAre("1 @c1"));
    EXPECT_THAT(told(watching.take(events_to("c4", {2, 3, 4}))), ElementsAre("2 @c1", "3 @c1", "4 @c4"));
    EXPECT_EQ(watching.cursor(), "c4");
}

TEST(Watching, TellsASnapshotBeforeTheEventsThatCameWithIt) {
    auto batch = snapshot_at("c2", {"a"});
    batch.add_events()->set_sequence(7);
    EXPECT_THAT(told(Watching("", half).take(batch)), ElementsAre("a @c2", "7 @c2"));
}

TEST(Watching, ForgetsTheSnapshotThatBrokeOff) {
    Watching watching("", half);
    watching.take(part_of_snapshot({"a", "b"}));
    watching.broke(broken);
    EXPECT_EQ(watching.cursor(), "");
    EXPECT_THAT(told(watching.take(snapshot_at("c1", {"a"}))), ElementsAre("a @c1"));
}

TEST(Watching, StartsAnewWhereItsCursorHasExpired) {
    Watching watching("c9", half);
    const auto disconnected = watching.broke(Refusal(grpc::OUT_OF_RANGE).reason("CURSOR_EXPIRED").error());
    EXPECT_EQ(disconnected.error.reason(), v1::ERROR_REASON_CURSOR_EXPIRED);
    EXPECT_EQ(watching.cursor(), "");
}

TEST(Watching, KeepsItsCursorAfterEveryOtherErrorThatMayHeal) {
    for (const auto& error : {broken, Refusal(grpc::RESOURCE_EXHAUSTED).reason("WATCHER_TOO_SLOW").error(),
                              Refusal(grpc::UNAVAILABLE).reason("HOST_STOPPING").retry_after(5s).error(),
                              Refusal(grpc::INTERNAL).reason("NEW_AND_STRANGE").error()}) {
        Watching watching("c2", half);
        EXPECT_EQ(watching.broke(error).error.code(), error.code());
        EXPECT_EQ(watching.cursor(), "c2");
    }
}

TEST(Watching, GivesUpWhereTryingAgainCannotHelp) {
    for (const auto code :
         {grpc::UNAUTHENTICATED, grpc::PERMISSION_DENIED, grpc::INVALID_ARGUMENT, grpc::UNIMPLEMENTED}) {
        EXPECT_THROW(Watching("c1", half).broke(Error(grpc::Status(code, ""))), Error);
    }
}

TEST(Pauses, DoubleUpToTheirBoundAndStartOverAfterGoodHealth) {
    Watching watching("c0", half);
    std::vector<milliseconds> pauses(9);
    for (auto& pause : pauses) pause = watching.broke(broken).retry_in;
    EXPECT_THAT(pauses, ElementsAre(125ms, 250ms, 500ms, 1s, 2s, 4s, 8s, 15s, 15s));
    watching.take(events_to("c1", {1}));
    EXPECT_EQ(watching.broke(broken, 9'999ms).retry_in, 15s);
    EXPECT_EQ(watching.broke(broken, 10s).retry_in, 125ms);
}

TEST(Pauses, StartOverOnceWhereTheHostAnswersAfterFailuresToReachIt) {
    Watching watching("c0", half);
    for (int failure = 0; failure < 4; ++failure) watching.broke(broken);
    const auto expired = Refusal(grpc::OUT_OF_RANGE).reason("CURSOR_EXPIRED").error();
    const auto busy = Refusal(grpc::RESOURCE_EXHAUSTED).reason("QUOTA_EXCEEDED").error();
    EXPECT_EQ(watching.broke(expired).retry_in, 125ms);
    EXPECT_EQ(watching.broke(busy).retry_in, 250ms);
    EXPECT_EQ(watching.broke(busy).retry_in, 500ms);
}

TEST(Pauses, StayInTheirBoundHoweverManyFail) {
    Watching watching("c0", half);
    for (int failure = 0; failure < 5000; ++failure) watching.broke(broken);
    EXPECT_EQ(watching.broke(broken).retry_in, 15s);
}

TEST(Pauses, AreDrawnAtRandom) {
    EXPECT_EQ(pause_of({.initial = 1s, .random = [] { return 0.0; }}), 0s);
    EXPECT_EQ(pause_of({.initial = 1s, .random = [] { return 0.25; }}), 250ms);
    EXPECT_EQ(pause_of({.initial = 1s, .random = [] { return 0.999; }}), 999ms);
    for (int draw = 0; draw < 100; ++draw) EXPECT_LT(pause_of({}), 250ms + 1ms);
}

TEST(Pauses, AreNeverShorterThanTheHostAsksFor) {
    EXPECT_EQ(pause_of(half, Refusal(grpc::UNAVAILABLE).retry_after(5s).error()), 5125ms);
}

TEST(Pauses, AreFiveMinutesAtMostHoweverLongTheHostAsksFor) {
    EXPECT_EQ(pause_of(half, Refusal(grpc::UNAVAILABLE).retry_after(24h * 365 * 200).error()), 5min + 125ms);
}
