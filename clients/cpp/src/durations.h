/// Times, as C++ and as protobuf have them.
#pragma once

#include <google/protobuf/duration.pb.h>

#include <chrono>

namespace wifidirect {

/// Rounded up: what a host asks to be waited for is not cut short.
inline std::chrono::milliseconds from_proto(const google::protobuf::Duration& duration) {
    return std::chrono::seconds{duration.seconds()} +
           std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds{duration.nanos()});
}

inline google::protobuf::Duration to_proto(std::chrono::milliseconds time) {
    google::protobuf::Duration duration;
    duration.set_seconds(time.count() / 1000);
    duration.set_nanos(static_cast<int>(time.count() % 1000) * 1'000'000);
    return duration;
}

}  // namespace wifidirect
