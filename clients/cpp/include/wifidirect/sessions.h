#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "wifidirect/held_session.h"
#include "wifidirect/options.h"
#include "wifidirect/pages.h"
#include "wifidirect/v1/session.pb.h"
#include "wifidirect/watch.h"

namespace wifidirect {

class Connection;

/// What to open. Only `device_address` is required.
struct OpenRequest {
    /// P2P device address of a paired device, "aa:bb:cc:dd:ee:ff".
    std::string device_address{};
    /// The id of the session: 4 to 63 characters of [a-z0-9-], the first a letter or digit.
    /// Default: a UUID that the host makes.
    std::string session_id{};
    /// Default: SESSION_KIND_WIFI_DIRECT.
    v1::SessionKind kind = v1::SESSION_KIND_UNSPECIFIED;
    /// How long the open may take. Default: the host's, 60 s.
    std::optional<std::chrono::milliseconds> open_timeout{};
    /// How long the session outlives its last stream: 1 s to 24 h. Default: it ends with its last
    /// stream.
    std::optional<std::chrono::milliseconds> lease_ttl{};
    /// A UUID that identifies this request: another open with it attaches to the same session.
    /// Default: a new UUID for each call.
    std::string request_id{};
    /// How long the stream can be quiet before the host sends a heartbeat: 1 s to 5 min; 0 for no
    /// heartbeats. Heartbeats are not returned to the caller. They keep proxies from closing the
    /// stream, and a host that is silent for three intervals is considered gone.
    std::chrono::milliseconds heartbeat_interval{std::chrono::seconds{10}};
};

/// A session, and the cursor at which it had this state. A watch that starts at the cursor sees
/// everything after it.
struct SessionAt {
    v1::Session session;
    std::string cursor;
    /// How long the lease had left when the host answered, on the clock of the host. Empty if the
    /// session has no lease, or if the host does not send its time.
    std::optional<std::chrono::milliseconds> lease_left{};
};

/// Which sessions `list` returns. Default: all.
struct ListOptions {
    /// Only sessions in one of these states.
    std::vector<v1::SessionState> states{};
    /// Only sessions to this device.
    std::string device_address{};
    /// The number of sessions in one page: 1 to 1000. 0 means 50.
    std::int32_t page_size = 0;
};

/// Which sessions `watch` shows. Default: all, from now on.
struct WatchOptions {
    /// Resumes after this cursor. Default: starts now, with a snapshot.
    std::string cursor{};
    /// Only these sessions. Default: all that the caller can see.
    std::vector<std::string> session_ids{};
    /// How long the stream can be quiet before the host sends a Bookmark: 1 s to 5 min. Default: 10
    /// s. A stream that is silent for three intervals is considered broken.
    std::optional<std::chrono::milliseconds> bookmark_interval{};
    Backoff backoff{};
};

using SessionSnapshot = Snapshot<v1::Session>;
using SessionChange = Change<v1::SessionEvent>;
using SessionWatch = Watch<v1::Session, v1::SessionEvent>;

/// Opens, closes and watches the sessions of one host. session_service.proto describes each RPC.
/// Thread-safe.
class Sessions {
  public:
    explicit Sessions(std::shared_ptr<Connection> connection);

    /// Opens a session, or attaches to the session that the same `request_id` has opened. Returns
    /// when the host has accepted the request, which is before the session is open: see
    /// HeldSession::wait_open. `stop` detaches, like HeldSession::detach. The call has no deadline,
    /// but it fails if the host is silent for three heartbeat intervals.
    [[nodiscard]] HeldSession open(const OpenRequest& request, const std::stop_token& stop = {}) const;

    /// Closes an open session, or cancels one that is opening. Returns when the close has begun.
    SessionAt close(const std::string& session_id, const CallOptions& options = {}) const;

    /// Closes the session, and returns when it has ended. By default there is no deadline.
    SessionAt close_and_wait(const std::string& session_id, const CallOptions& options = {}) const;

    /// Cancels a pending open. The session then ends CANCELLED, or CLOSED if the open was faster;
    /// an event reports which.
    SessionAt cancel(const std::string& session_id, const CallOptions& options = {}) const;

    /// Extends a lease: it expires `lease_ttl` from now. Default: the session's own `lease_ttl`.
    SessionAt renew(const std::string& session_id, std::optional<std::chrono::milliseconds> lease_ttl = {},
                    const CallOptions& options = {}) const;

    /// Returns one session. The host keeps an ended session for a while.
    SessionAt get(const std::string& session_id, const CallOptions& options = {}) const;

    /// Lists the sessions, oldest first. The options apply to the call for each page.
    Pages<v1::Session> list(const ListOptions& options = {}, const CallOptions& call = {}) const;

    /// Watches sessions. `stop` ends the watch, like Watch::cancel.
    [[nodiscard]] SessionWatch watch(const WatchOptions& options = {}, const std::stop_token& stop = {}) const;

  private:
    std::shared_ptr<Connection> connection_;
};

}  // namespace wifidirect
