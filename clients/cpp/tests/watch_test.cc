#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "host.h"
#include "told.h"

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using wifidirect::Client;
using wifidirect::Disconnected;
using wifidirect::SessionWatch;
using wifidirect::WatchOptions;
namespace v1 = wifidirect::v1;

namespace {

/// A stream that gives these batches, and then ends so; nothing: then it is silent.
struct Script {
    std::vector<v1::WatchSessionsResponse> batches;
    std::optional<grpc::Status> end;
};

/// Attaches watches to one script after another, and notes what they asked.
class HostOfWatches : public ScriptedHost {
  public:
    explicit HostOfWatches(std::vector<Script> scripts) : scripts_(std::move(scripts)) {
        on_watch = [this](auto& context, const auto& request, auto& writer) {
            const auto script = attach(request);
            for (const auto& batch : script.batches) writer.Write(batch);
            if (!script.end) wait_until_cancelled(context);
            return script.end.value_or(grpc::Status::CANCELLED);
        };
    }

    std::vector<v1::WatchSessionsRequest> requests() {
        const std::scoped_lock lock(mutex_);
        return requests_;
    }

    std::vector<std::string> cursors() {
        std::vector<std::string> cursors;
        for (const auto& request : requests()) cursors.push_back(request.cursor());
        return cursors;
    }

  private:
    Script attach(const v1::WatchSessionsRequest& request) {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
        return requests_.size() <= scripts_.size() ? scripts_[requests_.size() - 1] : Script{};
    }

    std::mutex mutex_;
    std::vector<Script> scripts_;
    std::vector<v1::WatchSessionsRequest> requests_;
};

const grpc::Status broken(grpc::UNAVAILABLE, "the connection broke");

/// Does not wait between attempts.
WatchOptions at_once(const std::string& cursor = "") {
    return {.cursor = cursor, .backoff = {.random = [] { return 0.0; }}};
}

std::vector<SessionWatch::Item> read(SessionWatch& watch, std::size_t count) {
    std::vector<SessionWatch::Item> items;
    while (items.size() < count) items.push_back(watch.next().value());
    return items;
}

}  // namespace

TEST(Watches, GoOnWithoutGapOrDouble) {
    for (const auto& end : {broken, Refusal(grpc::RESOURCE_EXHAUSTED).reason("WATCHER_TOO_SLOW").status(),
                            Refusal(grpc::INTERNAL).reason("NEW_AND_STRANGE").status()}) {
        HostOfWatches host({{{snapshot_at("c0", {"a"}), events_to("c2", {1, 2})}, end},
                            {{events_to("c3", {3}), events_to("c5", {4, 5})}, end},
                            {{events_to("c6", {6})}, std::nullopt}});
        const Client client(host.serve());
        auto watch = client.sessions().watch(at_once());
        const std::string code{wifidirect::code_name(end.error_code())};
        EXPECT_THAT(told(read(watch, 9)),
                    ElementsAre("a @c0", "1 @c0", "2 @c2", code, "3 @c3", "4 @c3", "5 @c5", code, "6 @c6"));
        EXPECT_THAT(host.cursors(), ElementsAre("", "c2", "c5"));
    }
}

TEST(Watches, ComeBackWithTheirHost) {
    HostOfWatches host({{{events_to("c1", {1})}, std::nullopt}, {{events_to("c2", {2})}, std::nullopt}});
    std::optional<Serving> serving(std::in_place, host);
    const int port = serving->port();
    const Client client(serving->address());
    auto watch = client.sessions().watch({.cursor = "c0", .backoff = {.initial = 20ms, .max = 100ms}});
    EXPECT_THAT(told(read(watch, 1)), ElementsAre("1 @c1"));
    serving.reset();
    EXPECT_THAT(told(read(watch, 3)), Each("UNAVAILABLE"));
    serving.emplace(host, port);
    auto items = read(watch, 1);
    while (std::holds_alternative<Disconnected>(items.back())) items = read(watch, 1);
    EXPECT_THAT(told(items), ElementsAre("2 @c2"));
}

TEST(Watches, HaveNoEndOfTheirOwn) {
    HostOfWatches host({{{events_to("c1", {1})}, grpc::Status::OK}, {{events_to("c2", {2})}, std::nullopt}});
    const Client client(host.serve());
    auto watch = client.sessions().watch(at_once("c0"));
    EXPECT_THAT(told(read(watch, 3)), ElementsAre("1 @c1", "UNAVAILABLE", "2 @c2"));
}

TEST(Watches, TellOfAnExpiredCursorAndShowANewSnapshot) {
    HostOfWatches host({{{}, Refusal(grpc::OUT_OF_RANGE).reason("CURSOR_EXPIRED").status()},
                        {{snapshot_at("d4", {"z"}), events_to("d5", {5})}, std::nullopt}});
    const Client client(host.serve());
    auto watch = client.sessions().watch(at_once("c9"));
    EXPECT_THAT(told(read(watch, 3)), ElementsAre("OUT_OF_RANGE", "z @d4", "5 @d5"));
    EXPECT_THAT(host.cursors(), ElementsAre("c9", ""));
}

TEST(Watches, GiveUpWhereTryingAgainCannotHelp) {
    HostOfWatches host({{{events_to("c1", {1})}, grpc::Status(grpc::PERMISSION_DENIED, "")}});
    const Client client(host.serve());
    auto watch = client.sessions().watch(at_once("c0"));
    EXPECT_THAT(told(read(watch, 1)), ElementsAre("1 @c1"));
    for (int again = 0; again < 2; ++again) {
        const auto error = error_of([&] { watch.next(); });
        ASSERT_TRUE(error);
        EXPECT_EQ(error->code(), grpc::PERMISSION_DENIED);
    }
    EXPECT_THAT(host.cursors(), ElementsAre("c0"));
}

TEST(Watches, AskEachTimeForWhatWasToBeShown) {
    HostOfWatches host({{{}, broken}, {{events_to("c1", {})}, std::nullopt}});
    const Client client(host.serve());
    auto options = at_once();
    options.session_ids = {"a", "b"};
    options.bookmark_interval = 2s;
    auto watch = client.sessions().watch(options);
    EXPECT_THAT(told(read(watch, 2)), ElementsAre("UNAVAILABLE", "bookmark @c1"));
    for (const auto& request : host.requests()) {
        EXPECT_THAT(request.session_ids(), ElementsAre("a", "b"));
        EXPECT_EQ(request.bookmark_interval().seconds(), 2);
    }
}

TEST(Watches, AreAttachedAgainWhereNothingIsHeardForThreeIntervals) {
    HostOfWatches host({{{events_to("c1", {1})}, std::nullopt}, {{}, std::nullopt}, {{events_to("c2", {2})}, {}}});
    const Client client(host.serve());
    auto options = at_once("c0");
    options.bookmark_interval = 100ms;
    auto watch = client.sessions().watch(options);
    const auto items = read(watch, 4);
    EXPECT_THAT(told(items), ElementsAre("1 @c1", "UNAVAILABLE", "UNAVAILABLE", "2 @c2"));
    EXPECT_THAT(std::get<Disconnected>(items[1]).error.what(), testing::HasSubstr("nothing was heard"));
    EXPECT_THAT(host.cursors(), ElementsAre("c0", "c1", "c1"));
}

TEST(Watches, GoOnAfterAMessageThatCannotBeParsed) {
    HostOfBytes host("\x0a\xff\xff");
    const Client client(host.address());
    auto watch = client.sessions().watch(at_once());
    const auto items = read(watch, 2);
    EXPECT_THAT(told(items), Each("INTERNAL"));
    const auto error = error_of([&] { client.sessions().get("a-session"); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::INTERNAL);
}

TEST(Watches, ThatAreSilentEndWhenCancelledFromAnotherThread) {
    HostOfWatches host({{{snapshot_at("c0", {})}, std::nullopt}});
    const Client client(host.serve());
    auto watch = client.sessions().watch(at_once());
    EXPECT_THAT(told(read(watch, 1)), ElementsAre("nothing @c0"));
    const std::jthread other([&] { watch.cancel(); });
    EXPECT_FALSE(watch.next());
    EXPECT_FALSE(watch.next());
}

TEST(Watches, ThatPauseEndWhenCancelledFromAnotherThread) {
    HostOfWatches host({{{}, Refusal(grpc::UNAVAILABLE).reason("HOST_STOPPING").retry_after(1h).status()}});
    const Client client(host.serve());
    auto watch = client.sessions().watch(at_once());
    EXPECT_EQ(std::get<Disconnected>(watch.next().value()).retry_in, 5min);
    const std::jthread other([&] { watch.cancel(); });
    EXPECT_FALSE(watch.next());
    EXPECT_THAT(host.cursors(), ElementsAre(""));
}

TEST(Watches, GiveNoMoreToWhoHasLeft) {
    HostOfWatches host({{{events_to("c3", {1, 2, 3})}, std::nullopt}});
    const Client client(host.serve());
    std::stop_source stop;
    auto watch = client.sessions().watch(at_once("c0"), stop.get_token());
    EXPECT_THAT(told(read(watch, 1)), ElementsAre("1 @c0"));
    stop.request_stop();
    EXPECT_FALSE(watch.next());
}

TEST(Watches, FailWhereTheClientIsClosed) {
    HostOfWatches host({{{}, Refusal(grpc::UNAVAILABLE).retry_after(1h).status()}});
    Client client(host.serve());
    auto watch = client.sessions().watch(at_once());
    read(watch, 1);
    const std::jthread other([&] { client.close(); });
    const auto error = error_of([&] { watch.next(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::CANCELLED);
}
