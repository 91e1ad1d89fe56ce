#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "wifidirect/options.h"
#include "wifidirect/stream.h"
#include "wifidirect/v1/session.pb.h"

namespace wifidirect {

/// A session and the stream that holds it: without a lease, the session ends when the stream does,
/// and so with this object. One thread at a time may read; `close` and `detach` may be called from
/// any.
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

    /// The name of the session.
    const std::string& id() const noexcept;

    /// Waits for the next event of the session. None after CLOSED, and after a CANCELLED that was
    /// asked for; else it throws, after the last event.
    std::optional<v1::SessionEvent> next();

    /// Passes over events until the session is OPEN, and answers with it. If it ends before, throws
    /// what the stream ends with, or CANCELLED where it ends well.
    v1::Session wait_open();

    /// How long the lease had left, by the last event that was given out and the host's own clock
    /// at its last message: the clock of this machine may differ. None without a lease, or where
    /// the host doesn't tell its time.
    std::optional<std::chrono::milliseconds> lease_left() const;

    /// Closes the session (cancels it, while it is opening), and answers with it when it has ended:
    /// by default however long that takes. The events of the end can still be read.
    v1::Session close(const CallOptions& options = {});

    /// Lets go of the stream. A session without a lease then ends; one that has ended is not
    /// touched. Harmless to repeat.
    void detach() noexcept;

  private:
    std::unique_ptr<Held> held_;
};

}  // namespace wifidirect
