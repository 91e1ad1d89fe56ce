#include "wifidirect/error.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

#include "host.h"

using namespace std::chrono_literals;
using wifidirect::Error;
namespace v1 = wifidirect::v1;

TEST(Errors, DetailsBecomeFields) {
    wifidirect::google_rpc::BadRequest bad;
    auto* violation = bad.add_field_violations();
    violation->set_field("kind");
    violation->set_description("a known kind");
    v1::NativeResult native;
    native.set_function("WFDStartOpenSession");
    native.set_code(1460);
    const auto error = Refusal(grpc::ABORTED)
                           .reason("OPEN_FAILED")
                           .retry_after(1500ms)
                           .detail("google.rpc.BadRequest", bad)
                           .detail("wifidirect.v1.NativeResult", native)
                           .error();
    EXPECT_EQ(error.code(), grpc::ABORTED);
    EXPECT_EQ(error.reason(), v1::ERROR_REASON_OPEN_FAILED);
    EXPECT_EQ(error.reason_name(), "OPEN_FAILED");
    EXPECT_EQ(error.metadata().at("key"), "value");
    EXPECT_EQ(error.retry_delay(), 1500ms);
    ASSERT_EQ(error.field_violations().size(), 1U);
    EXPECT_EQ(error.field_violations()[0].field, "kind");
    EXPECT_EQ(error.field_violations()[0].description, "a known kind");
    ASSERT_NE(error.native(), nullptr);
    EXPECT_EQ(error.native()->code(), 1460U);
    EXPECT_EQ(error.message(), "the text");
    EXPECT_STREQ(error.what(), "OPEN_FAILED: the text");
}

TEST(Errors, AnErrorThatTheHostDidNotMakeHasNoReason) {
    for (const auto& error : {Refusal(grpc::UNAVAILABLE).reason("OPEN_FAILED", "proxy.example").error(),
                              Error(grpc::Status(grpc::UNAVAILABLE, "the text")),
                              Error(grpc::Status(grpc::UNAVAILABLE, "the text", "no details"))}) {
        EXPECT_EQ(error.reason(), v1::ERROR_REASON_UNSPECIFIED);
        EXPECT_EQ(error.reason_name(), "");
        EXPECT_EQ(error.native(), nullptr);
        EXPECT_EQ(error.retry_delay(), std::nullopt);
        EXPECT_STREQ(error.what(), "UNAVAILABLE: the text");
    }
}

TEST(Errors, TheReasonOfANewerHostIsKept) {
    const auto error = Refusal(grpc::INTERNAL).reason("NEW_AND_STRANGE").error();
    EXPECT_EQ(error.reason(), v1::ERROR_REASON_UNSPECIFIED);
    EXPECT_EQ(error.reason_name(), "NEW_AND_STRANGE");
}

TEST(Errors, EveryReasonOfTheContractIsKnown) {
    const auto* reasons = v1::ErrorReason_descriptor();
    for (int at = 1; at < reasons->value_count(); ++at) {
        const auto name = reasons->value(at)->name().substr(sizeof "ERROR_REASON_" - 1);
        EXPECT_EQ(Refusal(grpc::INTERNAL).reason(name).error().reason(), reasons->value(at)->number()) << name;
    }
}

TEST(Errors, TheDelayThatTheHostAsksForIsNotCutShort) {
    EXPECT_EQ(Refusal(grpc::UNAVAILABLE).retry_after(1'000'001ns).error().retry_delay(), 2ms);
}

TEST(Errors, ADelayThatMakesNoSenseIsBounded) {
    const auto delay = [](std::int64_t seconds, std::int32_t nanos) {
        wifidirect::google_rpc::RetryInfo retry;
        retry.mutable_retry_delay()->set_seconds(seconds);
        retry.mutable_retry_delay()->set_nanos(nanos);
        return Refusal(grpc::UNAVAILABLE).detail("google.rpc.RetryInfo", retry).error().retry_delay();
    };
    using Seconds = std::numeric_limits<std::int64_t>;
    using Nanos = std::numeric_limits<std::int32_t>;
    EXPECT_EQ(delay(-5, 0), std::nullopt);
    EXPECT_EQ(delay(0, -1), std::nullopt);
    EXPECT_EQ(delay(Seconds::min(), Nanos::min()), std::nullopt);
    EXPECT_GT(delay(Seconds::max(), Nanos::max()), 24h * 365 * 9000);
}

TEST(Errors, OnlyAFailureIsThrown) {
    EXPECT_NO_THROW(wifidirect::throw_unless_ok(grpc::Status::OK));
    EXPECT_THROW(wifidirect::throw_unless_ok(grpc::Status(grpc::ABORTED, "")), Error);
    EXPECT_STREQ(Error(grpc::Status(grpc::ABORTED, "")).what(), "ABORTED: the call failed");
    static_assert(std::is_nothrow_copy_constructible_v<Error>);
}

TEST(Errors, CodesHaveTheNamesOfGrpc) {
    EXPECT_EQ(wifidirect::code_name(grpc::OK), "OK");
    EXPECT_EQ(wifidirect::code_name(grpc::FAILED_PRECONDITION), "FAILED_PRECONDITION");
    EXPECT_EQ(wifidirect::code_name(grpc::UNAUTHENTICATED), "UNAUTHENTICATED");
    EXPECT_EQ(wifidirect::code_name(static_cast<grpc::StatusCode>(99)), "UNKNOWN");
}
