/// How long a lease has left.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "durations.h"
#include "wifidirect/v1/session.pb.h"

namespace wifidirect {

/// On the clock of the host. Empty without a lease, or if the host does not send its time.
inline std::optional<std::chrono::milliseconds> lease_left(const v1::Session& session,
                                                           const google::protobuf::Timestamp* host_time) {
    if (!session.has_lease_expire_time() || host_time == nullptr) return std::nullopt;
    const auto left = from_proto(session.lease_expire_time()) - from_proto(*host_time);
    return std::max(left, std::chrono::milliseconds{0});
}

}  // namespace wifidirect
