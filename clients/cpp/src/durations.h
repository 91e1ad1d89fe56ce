/// Converts durations between C++ and protobuf.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace wifidirect {

/// Rounds up, so that a pause that the host asks for is never shorter. Clamps to the range of a
/// protobuf duration.
inline std::chrono::milliseconds from_proto(const google::protobuf::Duration& duration) {
    constexpr std::int64_t seconds_max = 315'576'000'000;
    return std::chrono::seconds{std::clamp(duration.seconds(), -seconds_max, seconds_max)} +
           std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds{duration.nanos()});
}

inline std::chrono::milliseconds from_proto(const google::protobuf::Timestamp& time) {
    google::protobuf::Duration since_epoch;
    since_epoch.set_seconds(time.seconds());
    since_epoch.set_nanos(time.nanos());
    return from_proto(since_epoch);
}

inline google::protobuf::Duration to_proto(std::chrono::milliseconds time) {
    google::protobuf::Duration duration;
    duration.set_seconds(time.count() / 1000);
    duration.set_nanos(static_cast<int>(time.count() % 1000) * 1'000'000);
    return duration;
}

}  // namespace wifidirect
