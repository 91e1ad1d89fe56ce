#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "wifidirect/options.h"
#include "wifidirect/stream.h"
#include "wifidirect/v1/session.pb.h"

namespace wifidirect {

/// A session, and the stream that keeps it. A session without a lease ends with its last stream,
/// and therefore with this object. Only one thread at a time can read; any thread can call `close`
/// and `detach`.
class HeldSession : public Stream<HeldSession, v1::SessionEvent> {
  public:
    class Held;

    explicit HeldSession(std::unique_ptr<Held> held) noexcept;
    HeldSession(const HeldSession&) = delete;
    HeldSession& operator=(const HeldSession&) = delete;
    HeldSession(HeldSession&&) noexcept;
    HeldSession& operator=(HeldSession&&) noexcept;
    /// Detaches.
    ~HeldSession();

    /// The id of the session.
    const std::string& id() const noexcept;

    /// Waits for the next event of the session. Returns empty after CLOSED, and after a CANCELLED
    /// that was requested. After any other end it throws, once the last event has been returned.
    std::optional<v1::SessionEvent> next();

    /// Skips events until the session is OPEN, and returns it. If the session ends before, throws
    /// the error of the stream, or CANCELLED if the stream ended without an error.
    v1::Session wait_open();

    /// How long the lease has left, according to the last event that was returned and the time of
    /// the host in its last message. Empty if the session has no lease, or if the host does not
    /// send its time.
    std::optional<std::chrono::milliseconds> lease_left() const;

    /// Closes the session, or cancels it while it is opening, and returns it when it has ended. By
    /// default there is no deadline. The last events can still be read.
    v1::Session close(const CallOptions& options = {});

    /// Ends the stream. A session without a lease then ends too. Idempotent.
    void detach() noexcept;

  private:
    std::unique_ptr<Held> held_;
};

}  // namespace wifidirect
