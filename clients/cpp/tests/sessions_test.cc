#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <initializer_list>
#include <ranges>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host.h"

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::MatchesRegex;
using wifidirect::Client;
using wifidirect::HeldSession;
namespace v1 = wifidirect::v1;

namespace {

static_assert(std::ranges::input_range<HeldSession>);
static_assert(std::ranges::input_range<wifidirect::Pages<v1::Session>>);
static_assert(std::ranges::input_range<wifidirect::SessionWatch>);

constexpr auto opening = v1::SESSION_STATE_OPENING;
constexpr auto open = v1::SESSION_STATE_OPEN;
constexpr auto closing = v1::SESSION_STATE_CLOSING;
constexpr auto closed = v1::SESSION_STATE_CLOSED;
constexpr auto failed = v1::SESSION_STATE_FAILED;

using Writer = grpc::ServerWriter<v1::OpenSessionResponse>;

void tell(Writer& writer, std::initializer_list<v1::SessionState> states) {
    for (const auto state : states) {
        v1::OpenSessionResponse response;
        response.mutable_event()->mutable_session()->set_session_id("a-session");
        response.mutable_event()->mutable_session()->set_state(state);
        writer.Write(response);
    }
}

/// A host whose sessions live through these states, and then end so.
struct HostOf : ScriptedHost {
    HostOf(std::initializer_list<v1::SessionState> states, const grpc::Status& end) {
        on_open = [states = std::vector(states), end](auto&, const auto&, auto& writer) {
            for (const auto state : states) tell(writer, {state});
            return end;
        };
    }
};

/// A host whose sessions are opening, until their stream is gone.
struct HostOfPending : ScriptedHost {
    std::promise<void> gone;

    HostOfPending() {
        on_open = [this](auto& context, const auto&, auto& writer) {
            tell(writer, {opening});
            wait_until_cancelled(context);
            gone.set_value();
            return grpc::Status::CANCELLED;
        };
    }
};

std::vector<v1::SessionState> rest_of(HeldSession& session) {
    std::vector<v1::SessionState> states;
    for (const auto& event : session) states.push_back(event.session().state());
    return states;
}

}  // namespace

TEST(Sessions, AreReadFromTheirFirstEventToTheirLast) {
    HostOf host({opening, open, closing, closed}, grpc::Status::OK);
    const Client client(host.serve());
    auto session = client.sessions().open({});
    EXPECT_EQ(session.id(), "a-session");
    for (const auto& event : session) {
        EXPECT_EQ(event.session().state(), opening);
        break;
    }
    EXPECT_EQ(session.wait_open().state(), open);
    EXPECT_EQ(session.wait_open().state(), open);
    auto moved = std::move(session);
    EXPECT_THAT(rest_of(moved), ElementsAre(closing, closed));
    EXPECT_EQ(moved.next(), std::nullopt);
    const auto error = error_of([&] { moved.wait_open(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::CANCELLED);
}

TEST(Sessions, AnOpenThatFailsThrowsAfterItsLastEvent) {
    HostOf host({opening, failed}, Refusal(grpc::ABORTED).reason("OPEN_FAILED").status());
    const Client client(host.serve());
    auto session = client.sessions().open({});
    EXPECT_EQ(session.next()->session().state(), opening);
    EXPECT_EQ(session.next()->session().state(), failed);
    for (int again = 0; again < 2; ++again) {
        const auto error = error_of([&] { session.next(); });
        ASSERT_TRUE(error);
        EXPECT_EQ(error->reason(), v1::ERROR_REASON_OPEN_FAILED);
    }
    EXPECT_THROW(session.wait_open(), wifidirect::Error);
}

TEST(Sessions, AnOpenThatIsRefusedThrowsAtOnce) {
    HostOf host({}, Refusal(grpc::INVALID_ARGUMENT).reason("INVALID_FIELD").status());
    const Client client(host.serve());
    const auto error = error_of([&] { const auto session = client.sessions().open({}); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->reason(), v1::ERROR_REASON_INVALID_FIELD);
}

TEST(Sessions, TheStreamEndsWithTheObject) {
    HostOfPending host;
    const Client client(host.serve());
    { const auto session = client.sessions().open({}); }
    host.gone.get_future().wait();
}

TEST(Sessions, DetachEndsTheStreamFromAnotherThread) {
    HostOfPending host;
    const Client client(host.serve());
    auto session = client.sessions().open({});
    EXPECT_EQ(session.next()->session().state(), opening);
    const std::jthread other([&] { session.detach(); });
    const auto error = error_of([&] { session.next(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::CANCELLED);
    session.detach();
    host.gone.get_future().wait();
}

TEST(Sessions, AStopTokenDetaches) {
    HostOfPending host;
    const Client client(host.serve());
    std::stop_source stop;
    auto session = client.sessions().open({}, stop.get_token());
    stop.request_stop();
    host.gone.get_future().wait();
}

TEST(Sessions, AreLetGoOfWhereTheClientIsClosed) {
    HostOfPending host;
    std::optional<Client> client(host.serve());
    auto session = client->sessions().open({});
    client.reset();
    host.gone.get_future().wait();
    EXPECT_EQ(session.next()->session().state(), opening);
    EXPECT_THROW(session.next(), wifidirect::Error);
}

TEST(Sessions, SignsOfLifeArePassedOverAndSilenceIsNot) {
    ScriptedHost host;
    host.on_open = [](auto& context, const auto&, auto& writer) {
        v1::OpenSessionResponse sign;
        sign.mutable_host_time()->set_seconds(7000);
        writer.Write(sign);
        auto event = sign;
        event.mutable_event()->mutable_session()->set_session_id("a-session");
        event.mutable_event()->mutable_session()->mutable_lease_expire_time()->set_seconds(7060);
        writer.Write(event);
        writer.Write(sign);
        wait_until_cancelled(context);
        return grpc::Status::CANCELLED;
    };
    const Client client(host.serve());
    auto session = client.sessions().open({.heartbeat_interval = 100ms});
    EXPECT_EQ(session.next()->session().session_id(), "a-session");
    EXPECT_EQ(session.lease_left(), 60s);
    for (int again = 0; again < 2; ++again) {
        const auto error = error_of([&] { session.next(); });
        ASSERT_TRUE(error);
        EXPECT_EQ(error->code(), grpc::UNAVAILABLE);
        EXPECT_EQ(error->message(), "nothing was heard from the host for 300 ms");
    }
}

TEST(Sessions, AHostThatKnowsNoSignsOfLifeMayBeSilent) {
    HostOfPending host;
    const Client client(host.serve());
    auto session = client.sessions().open({.heartbeat_interval = 200ms});
    EXPECT_EQ(session.next()->session().state(), opening);
    const std::jthread other([&] {
        // Longer than three intervals.
        std::this_thread::sleep_for(700ms);
        session.detach();
    });
    const auto error = error_of([&] { session.next(); });
    host.gone.get_future().wait();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::CANCELLED);
}

TEST(Sessions, WhatALeaseHasLeftIsByTheClockOfTheHost) {
    ScriptedHost host;
    host.on_get = [](auto&, const auto& request, auto& response) {
        response.mutable_session()->mutable_lease_expire_time()->set_seconds(100);
        response.mutable_host_time()->set_seconds(request.session_id() == "early" ? 40 : 900);
        response.mutable_host_time()->set_nanos(500'000'000);
        return grpc::Status::OK;
    };
    const Client client(host.serve());
    EXPECT_EQ(client.sessions().get("early").lease_left, 59'500ms);
    EXPECT_EQ(client.sessions().get("late").lease_left, 0ms);
}

TEST(Sessions, AnAnswerWithoutItsSessionIsTheFaultOfTheHost) {
    ScriptedHost host;
    host.on_get = [](auto&, const auto&, auto&) { return grpc::Status::OK; };
    const Client client(host.serve());
    const auto error = error_of([&] { client.sessions().get("a-session"); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::INTERNAL);
}

TEST(Sessions, ARequestSaysWhatWasAskedForAndNoMore) {
    std::vector<v1::OpenSessionRequest> requests;
    ScriptedHost host;
    host.on_open = [&](auto&, const auto& request, auto& writer) {
        requests.push_back(request);
        tell(writer, {opening});
        return grpc::Status::OK;
    };
    const Client client(host.serve());
    rest_of(*std::make_unique<HeldSession>(client.sessions().open({})));
    rest_of(*std::make_unique<HeldSession>(client.sessions().open({.open_timeout = 1500ms, .request_id = "mine"})));
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_FALSE(requests[0].has_open_timeout());
    EXPECT_THAT(requests[0].request_id(),
                MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_EQ(requests[1].open_timeout().seconds(), 1);
    EXPECT_EQ(requests[1].open_timeout().nanos(), 500'000'000);
    EXPECT_FALSE(requests[1].has_lease_ttl());
    EXPECT_EQ(requests[0].heartbeat_interval().seconds(), 10);
    rest_of(*std::make_unique<HeldSession>(client.sessions().open({.heartbeat_interval = 0ms})));
    EXPECT_FALSE(requests[2].has_heartbeat_interval());
    EXPECT_EQ(requests[1].request_id(), "mine");
}

TEST(Calls, HaveADeadlineButWhereTheyWait) {
    std::chrono::system_clock::time_point deadline;
    ScriptedHost host;
    host.on_get = [&](auto& context, const auto&, auto& response) {
        deadline = context.deadline();
        response.set_cursor("c1");
        response.mutable_session();
        return grpc::Status::OK;
    };
    host.on_close = [&](auto& context, const auto& request, auto& response) {
        response.mutable_session();
        EXPECT_TRUE(request.wait_for_disconnect());
        deadline = context.deadline();
        return grpc::Status::OK;
    };
    const auto left = [&] {
        return std::chrono::round<std::chrono::seconds>(deadline - std::chrono::system_clock::now());
    };
    const Client client(host.serve());
    EXPECT_EQ(client.sessions().get("a-session").cursor, "c1");
    // gRPC rounds it up on its way.
    EXPECT_LE(left(), 11s);
    EXPECT_GE(left(), 8s);
    client.sessions().get("a-session", {.timeout = 1min});
    EXPECT_GE(left(), 50s);
    client.sessions().close_and_wait("a-session");
    EXPECT_GE(left(), 24h * 365);
}

TEST(Calls, EndWithTheirStopToken) {
    std::promise<void> begun;
    ScriptedHost host;
    host.on_get = [&](auto& context, const auto&, auto&) {
        begun.set_value();
        wait_until_cancelled(context);
        return grpc::Status::CANCELLED;
    };
    const Client client(host.serve());
    std::stop_source stop;
    const std::jthread other([&] {
        begun.get_future().wait();
        stop.request_stop();
    });
    const auto error = error_of([&] { client.sessions().get("a-session", {.stop = stop.get_token()}); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::CANCELLED);
}

TEST(Lists, AskForPagesAsTheyAreNeeded) {
    std::vector<std::string> asked;
    ScriptedHost host;
    host.on_list = [&](auto&, const auto& request, auto& response) {
        asked.push_back(request.page_token());
        if (request.page_token() == "third") return Refusal(grpc::INVALID_ARGUMENT).status();
        const bool is_first = request.page_token().empty();
        response.set_next_page_token(is_first ? "second" : "third");
        for (const char* id : {is_first ? "a" : "c", is_first ? "b" : "d"}) response.add_sessions()->set_session_id(id);
        return grpc::Status::OK;
    };
    const Client client(host.serve());
    auto sessions = client.sessions().list();
    std::string ids;
    const auto error = error_of([&] {
        for (const auto& session : sessions) ids += session.session_id();
    });
    EXPECT_EQ(ids, "abcd");
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::INVALID_ARGUMENT);
    auto first_two = client.sessions().list();
    EXPECT_EQ(first_two.next()->session_id(), "a");
    EXPECT_EQ(first_two.next()->session_id(), "b");
    EXPECT_THAT(asked, ElementsAre("", "second", "third", ""));
}
