/// A session, and the stream that keeps it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "connection.h"
#include "wifidirect/held_session.h"
#include "wifidirect/v1/session_service.grpc.pb.h"

namespace wifidirect {

class HeldSession::Held {
  public:
    /// Reads the first event ahead, because a request that the host refuses has no session.
    Held(std::shared_ptr<Connection> connection, const v1::OpenSessionRequest& request, const std::stop_token& stop);

    const std::shared_ptr<Connection>& connection() const noexcept { return connection_; }
    const std::string& id() const noexcept { return id_; }
    std::optional<v1::SessionEvent> next();
    v1::Session wait_open();
    void detach() noexcept { stopping_.request(); }
    std::optional<std::chrono::milliseconds> lease_left() const;

  private:
    /// The next event of the stream. Heartbeats are skipped.
    std::optional<v1::SessionEvent> read();

    std::shared_ptr<Connection> connection_;
    Stopping stopping_;
    ServerStream<v1::OpenSessionResponse> stream_;
    std::string id_;
    // Read ahead, and not returned yet.
    std::optional<v1::SessionEvent> next_;
    // As of the last event that was returned.
    v1::Session session_;
    // From the last message.
    std::optional<google::protobuf::Timestamp> host_time_;
};

}  // namespace wifidirect
