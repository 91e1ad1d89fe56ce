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

/// All there is. It replaces what was known, also when it comes in the middle of a watch.
template <typename Thing>
struct Snapshot {
    std::vector<Thing> items;
    std::string cursor;
};

/// One thing that happened.
template <typename Event>
struct Change {
    Event event;
    /// Keep it to resume a later watch: nothing will be missed. Events that came together share a
    /// cursor, so those that were handled already may then come again; pass over them by epoch and
    /// sequence.
    std::string cursor;
};

/// Nothing happened, up to this cursor.
struct Bookmark {
    std::string cursor;
};

/// The stream broke, and will be attached again by itself: there is nothing to do.
struct Disconnected {
    /// With ERROR_REASON_CURSOR_EXPIRED, events are lost for good, and a snapshot follows.
    Error error;
    std::chrono::milliseconds retry_in;
};

/// An item of a watch.
template <typename Thing, typename Event>
using WatchItem = std::variant<Snapshot<Thing>, Change<Event>, Bookmark, Disconnected>;

/// The pauses between attempts: at random from 0 to a bound, which doubles with each failure in a
/// row ("full jitter"), on top of what the host asks for (5 min at most). It starts over when a
/// stream stood for 10 s, and when the host answers after failures to reach it.
struct Backoff {
    /// The bound after the first failure.
    std::chrono::milliseconds initial{250};
    /// The largest bound.
    std::chrono::milliseconds max{std::chrono::seconds{30}};
    /// Gives numbers from 0 to below 1. Default: a generator seeded at random.
    std::function<double()> random{};
};

/// The items of a watch, as they come: a Snapshot, unless there is a cursor, then each Change, in
/// order, none twice, whatever happens to the connection, with Bookmark and Disconnected between
/// them.
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

    /// Waits for the next item; none after `cancel`. Throws where trying again can't help:
    /// UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT, UNIMPLEMENTED; and CANCELLED when the
    /// client is closed.
    std::optional<Item> next();

    /// Ends the watch, from any thread: whoever waits for its next item gets none.
    void cancel() noexcept;

  private:
    std::unique_ptr<Source> source_;
};

}  // namespace wifidirect
