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
    /// Names the session: 4 to 63 of [a-z0-9-], the first a letter or digit. Default: the host
    /// makes a UUID.
    std::string session_id{};
    /// Default: SESSION_KIND_WIFI_DIRECT.
    v1::SessionKind kind = v1::SESSION_KIND_UNSPECIFIED;
    /// How long the open may take. Default: the host's, 60 s.
    std::optional<std::chrono::milliseconds> open_timeout{};
    /// Lets the session outlive its streams by this long: 1 s to 24 h. Default: it ends with them.
    std::optional<std::chrono::milliseconds> lease_ttl{};
    /// UUID by which the host knows this request again: opening with it again attaches to the same
    /// session. Default: a new one at each call.
    std::string request_id{};
    /// How long the stream may be quiet before the host sends a sign of life, which is not handed
    /// on: 1 s to 5 min. It keeps proxies from closing the stream, and a host that is silent for
    /// three of them is taken for gone. 0: none.
    std::chrono::milliseconds heartbeat_interval{std::chrono::seconds{10}};
};

/// A session, and the cursor at which it was so: a watch from there sees all that came after.
struct SessionAt {
    v1::Session session;
    std::string cursor;
    /// How long the lease had left when the host answered, by the host's own clock: the clock of
    /// this machine may differ. None without a lease, or where the host doesn't tell its time.
    std::optional<std::chrono::milliseconds> lease_left{};
};

/// What `list` shows; by default every session.
struct ListOptions {
    /// Only sessions in one of these.
    std::vector<v1::SessionState> states{};
    /// Only sessions to this device.
    std::string device_address{};
    /// How many to ask for at once: 1 to 1000. 0: 50.
    std::int32_t page_size = 0;
};

/// What `watch` shows; by default every session, from now.
struct WatchOptions {
    /// Resume after it. Default: from now, after a snapshot.
    std::string cursor{};
    /// Only these. Default: all that the caller may see.
    std::vector<std::string> session_ids{};
    /// How long a silence lasts before a Bookmark comes: 1 s to 5 min. Default: 10 s. A stream that
    /// is silent for three of them is taken for broken.
    std::optional<std::chrono::milliseconds> bookmark_interval{};
    Backoff backoff{};
};

using SessionSnapshot = Snapshot<v1::Session>;
using SessionChange = Change<v1::SessionEvent>;
using SessionWatch = Watch<v1::Session, v1::SessionEvent>;

/// Opens, closes and follows the sessions of one host. What each RPC promises is in
/// session_service.proto. May be used by several threads at once.
class Sessions {
  public:
    explicit Sessions(std::shared_ptr<Connection> connection);

    /// Opens a session, or attaches to the one that the same `request_id` has made. Answers when
    /// the host has accepted, not when the session is open: see HeldSession::wait_open. `stop`
    /// detaches, as HeldSession::detach does. It has no deadline, but a host that says nothing for
    /// three heartbeat intervals is taken for gone.
    [[nodiscard]] HeldSession open(const OpenRequest& request, const std::stop_token& stop = {}) const;

    /// Closes an open session, and cancels one that is opening. Answers when that is under way.
    SessionAt close(const std::string& session_id, const CallOptions& options = {}) const;

    /// Closes the session, and answers when it has ended: by default however long that takes.
    SessionAt close_and_wait(const std::string& session_id, const CallOptions& options = {}) const;

    /// Stops a pending open. Its end, CANCELLED or, if the open wins the race, CLOSED, is an event.
    SessionAt cancel(const std::string& session_id, const CallOptions& options = {}) const;

    /// Extends a lease: it then lapses `lease_ttl` from now. Default: the time that the session
    /// has.
    SessionAt renew(const std::string& session_id, std::optional<std::chrono::milliseconds> lease_ttl = {},
                    const CallOptions& options = {}) const;

    /// Shows one session, also for a while after its end.
    SessionAt get(const std::string& session_id, const CallOptions& options = {}) const;

    /// Goes through the sessions, oldest first. The options of the call are those of each page.
    Pages<v1::Session> list(const ListOptions& options = {}, const CallOptions& call = {}) const;

    /// Follows sessions. `stop` ends the watch, as Watch::cancel does.
    [[nodiscard]] SessionWatch watch(const WatchOptions& options = {}, const std::stop_token& stop = {}) const;

  private:
    std::shared_ptr<Connection> connection_;
};

}  // namespace wifidirect
