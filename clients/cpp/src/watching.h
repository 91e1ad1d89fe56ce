/// The state of a watch that resumes: after an error that a retry can solve, it reconnects at its
/// cursor.
///
///     attach --batches--> items            attach again, after a pause, from the last cursor
///        |                                    ^
///        +--error that may heal--> Disconnected
///
/// Invariant: the cursor moves with the batch that carries it, before the items of the batch are
/// returned. So nothing is skipped or repeated, however often the stream breaks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "wifidirect/watch.h"

namespace wifidirect {

/// Moves the messages of a repeated field into a vector.
template <typename Field>
auto moved(Field& messages) {
    return std::vector<typename Field::value_type>(std::move_iterator(messages.begin()),
                                                   std::move_iterator(messages.end()));
}

/// The position of one watch. It makes no calls itself.
template <typename Thing, typename Event>
class Watching {
  public:
    using Items = std::deque<WatchItem<Thing, Event>>;

    Watching(std::string cursor, Backoff backoff) : cursor_(std::move(cursor)), backoff_(std::move(backoff)) {
        if (!backoff_.random) {
            backoff_.random = [engine = std::minstd_rand(std::random_device{}())]() mutable {
                return std::uniform_real_distribution<>(0, 1)(engine);
            };
        }
    }

    /// The cursor at which the next call resumes.
    const std::string& cursor() const noexcept { return cursor_; }

    /// Moves the cursor, and returns the items of a batch, which is a response of WatchSessions or
    /// WatchDevices.
    template <typename Batch>
    Items take(Batch batch) {
        const bool is_bookmark = batch.snapshot().empty() && !batch.cursor().empty();
        std::ranges::move(*batch.mutable_snapshot(), std::back_inserter(things_));
        const std::string before = cursor_;
        if (!batch.cursor().empty()) cursor_ = batch.cursor();
        Items items;
        if (batch.snapshot_complete()) {
            items.push_back(Snapshot<Thing>{std::exchange(things_, {}), cursor_});
        }
        for (auto& event : *batch.mutable_events()) items.push_back(Change<Event>{std::move(event), before});
        if (!batch.events().empty()) std::get<Change<Event>>(items.back()).cursor = cursor_;
        if (items.empty() && is_bookmark) items.push_back(Bookmark{cursor_});
        return items;
    }

    /// Returns when to reconnect, or throws an error that a retry can't solve. `stood` is how long
    /// the stream lasted after its first message.
    Disconnected broke(const Error& error, std::chrono::milliseconds stood = {}) {
        if (is_fatal(error.code())) throw error;
        if (error.reason() == v1::ERROR_REASON_CURSOR_EXPIRED) cursor_.clear();
        things_.clear();
        const bool is_answer = !error.reason_name().empty();
        if (stood >= healthy || (is_answer && !has_answered_)) failures_ = 0;
        has_answered_ = is_answer;
        return {error, pause_after(error)};
    }

  private:
    static bool is_fatal(grpc::StatusCode code) {
        return code == grpc::UNAUTHENTICATED || code == grpc::PERMISSION_DENIED || code == grpc::INVALID_ARGUMENT ||
               code == grpc::UNIMPLEMENTED;
    }

    std::chrono::milliseconds pause_after(const Error& error) {
        // The longest pause that a host can ask for.
        constexpr std::chrono::milliseconds asked_max{std::chrono::minutes{5}};
        const double doubled = std::ldexp(static_cast<double>(backoff_.initial.count()), failures_);
        const double bound = std::min(doubled, static_cast<double>(backoff_.max.count()));
        failures_ = std::min(failures_ + 1, doublings_max);
        const std::chrono::milliseconds jitter{std::llround(backoff_.random() * bound)};
        return std::min(error.retry_delay().value_or(std::chrono::milliseconds{0}), asked_max) + jitter;
    }

    // A stream that lasted this long was healthy: the back-off is reset.
    static constexpr std::chrono::seconds healthy{10};
    // Further doublings would not change the bound.
    static constexpr int doublings_max = 64;

    std::string cursor_;
    Backoff backoff_;
    int failures_ = 0;
    // Whether the last failure was an answer from the host.
    bool has_answered_ = false;
    // The items of a snapshot that is not complete yet.
    std::vector<Thing> things_;
};

}  // namespace wifidirect
