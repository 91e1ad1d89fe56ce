/// A watch that goes on: it attaches again after every error that may heal, from where it was.
///
///     attach --batches--> items            attach again, after a pause, from the last cursor
///        |                                    ^
///        +--error that may heal--> Disconnected
///
/// The rule that must not be broken: the cursor moves with the batch that carries it, before its
/// items are given out; so nothing is skipped and nothing comes twice, however often the stream
/// breaks.
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

/// The messages of a repeated field, taken out of it.
template <typename Field>
auto moved(Field& messages) {
    return std::vector<typename Field::value_type>(std::move_iterator(messages.begin()),
                                                   std::move_iterator(messages.end()));
}

/// Where one watch is. It calls nothing: what is around it does.
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

    /// Attach from here.
    const std::string& cursor() const noexcept { return cursor_; }

    /// Moves the cursor, and tells what has come: a batch is a response of WatchSessions or
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

    /// Says when to attach again, or throws what trying again can't help against. `stood`: how long
    /// the stream stood since its first message.
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
        // The most that a watch waits because the host asks for it.
        constexpr std::chrono::milliseconds asked_max{std::chrono::minutes{5}};
        const double doubled = std::ldexp(static_cast<double>(backoff_.initial.count()), failures_);
        const double bound = std::min(doubled, static_cast<double>(backoff_.max.count()));
        failures_ = std::min(failures_ + 1, doublings_max);
        const std::chrono::milliseconds jitter{std::llround(backoff_.random() * bound)};
        return std::min(error.retry_delay().value_or(std::chrono::milliseconds{0}), asked_max) + jitter;
    }

    // A stream that stood so long was in good health: the pauses start over.
    static constexpr std::chrono::seconds healthy{10};
    // More would make no difference.
    static constexpr int doublings_max = 64;

    std::string cursor_;
    Backoff backoff_;
    int failures_ = 0;
    // Whether the last failure was an answer of the host.
    bool has_answered_ = false;
    // What has come of a snapshot that is not complete.
    std::vector<Thing> things_;
};

}  // namespace wifidirect
