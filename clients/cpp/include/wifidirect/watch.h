#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wifidirect/error.h"
#include "wifidirect/stream.h"

namespace wifidirect {

/// Everything that exists. It replaces what the caller knew, even in the middle of a watch.
template <typename Thing>
struct Snapshot {
    std::vector<Thing> items;
    std::string cursor;
};

/// One event.
template <typename Event>
struct Change {
    Event event;
    /// Store it to resume a later watch without missing an event. Events of one message share a
    /// cursor, so after a resume some events can arrive again: skip them by epoch and sequence.
    std::string cursor;
};

/// Nothing else happened up to this cursor.
struct Bookmark {
    std::string cursor;
};

/// The stream broke. The watch reconnects by itself.
struct Disconnected {
    /// If its reason is ERROR_REASON_CURSOR_EXPIRED, events were missed, and a snapshot follows.
    Error error;
    std::chrono::milliseconds retry_in;
};

/// An item of a watch.
template <typename Thing, typename Event>
using WatchItem = std::variant<Snapshot<Thing>, Change<Event>, Bookmark, Disconnected>;

/// The pauses between attempts: random from 0 to a bound that doubles with each failure ("full
/// jitter"), in addition to the pause that the host asks for (at most 5 min). The bound is reset
/// when a stream has lasted 10 s, and when the host answers after failures to reach it.
struct Backoff {
    /// The bound after the first failure.
    std::chrono::milliseconds initial{250};
    /// The largest bound.
    std::chrono::milliseconds max{std::chrono::seconds{30}};
    /// Returns numbers in [0, 1). Default: a generator with a random seed.
    std::function<double()> random{};
};

/// The items of a watch: a Snapshot, unless the watch resumes at a cursor, then each Change once
/// and in order, even if the connection breaks. Bookmark and Disconnected come in between.
template <typename Thing, typename Event>
class Watch : public Stream<Watch<Thing, Event>, WatchItem<Thing, Event>> {
  public:
    using Item = WatchItem<Thing, Event>;
    class Source;

    explicit Watch(std::unique_ptr<Source> source) noexcept;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    Watch(Watch&&) noexcept;
    Watch& operator=(Watch&&) noexcept;
    ~Watch();

    /// Waits for the next item; empty after `cancel`. Throws if a retry can't help:
    /// UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT or UNIMPLEMENTED. Throws CANCELLED if
    /// the client is closed.
    std::optional<Item> next();

    /// Ends the watch. Any thread can call it; a `next` that is waiting returns empty.
    void cancel() noexcept;

  private:
    std::unique_ptr<Source> source_;
};

}  // namespace wifidirect
