/// The loop of a watch.
#pragma once

#include <grpcpp/client_context.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "connection.h"
#include "watching.h"
#include "wifidirect/watch.h"

namespace wifidirect {

/// The host's default if the watch sets none.
inline constexpr std::chrono::seconds bookmark_interval_default{10};

/// The source of the items of a Watch.
template <typename Thing, typename Event>
class Watch<Thing, Event>::Source {
  public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;
    virtual std::optional<Item> next() = 0;
    virtual void cancel() noexcept = 0;
};

/// Reads a stream of batches, and reconnects when it breaks.
template <typename Thing, typename Event, typename Batch>
class Following : public Watch<Thing, Event>::Source {
  public:
    using Item = WatchItem<Thing, Event>;
    /// Starts the call that resumes after the cursor.
    using Attach = std::function<std::unique_ptr<grpc::ClientAsyncReader<Batch>>(
        grpc::ClientContext*, const std::string& cursor, grpc::CompletionQueue*, void* tag)>;

    /// The host sends a message in each `interval`, at least a bookmark.
    Following(std::shared_ptr<Connection> connection, const std::stop_token& stop, std::chrono::milliseconds interval,
              Attach attach, Watching<Thing, Event> watching)
        : connection_(std::move(connection)),
          stopping_(*connection_, stop),
          silence_max_(silence_max(interval)),
          attach_(std::move(attach)),
          watching_(std::move(watching)) {}

    std::optional<Item> next() override {
        if (end_) throw Error(*end_);
        while (items_.empty() && !has_stopped()) {
            pause();
            read();
        }
        if (has_stopped()) return std::nullopt;
        Item item = std::move(items_.front());
        items_.pop_front();
        return item;
    }

    void cancel() noexcept override { stopping_.request(); }

  private:
    using Clock = std::chrono::steady_clock;

    /// Throws if the client is closed.
    bool has_stopped() const {
        if (connection_->closing().stop_requested())
            throw Error(grpc::Status(grpc::CANCELLED, "the client was closed"));
        return stopping_.token().stop_requested();
    }

    /// Waits until the next attempt, or until the watch is stopped.
    void pause() {
        // gRPC makes progress with connecting while somebody waits for the channel, otherwise only
        // every 5 s. That wait can't be interrupted, so it is cut into slices.
        constexpr std::chrono::milliseconds slice{100};
        const auto end = Clock::now() + std::exchange(pause_, {});
        for (auto now = Clock::now(); now < end && !stopping_.token().stop_requested(); now = Clock::now()) {
            const auto wait = std::min<Clock::duration>(end - now, slice);
            auto& channel = *connection_->channel();
            channel.WaitForStateChange(channel.GetState(false), std::chrono::system_clock::now() + wait);
        }
    }

    void read() {
        try {
            if (!stream_) {
                connection_->hasten(stopping_.token());
                stream_.emplace(*connection_, stopping_.token(), silence_max_,
                                [this](auto* context, auto* queue, void* tag) {
                                    return attach_(context, watching_.cursor(), queue, tag);
                                });
            }
            Batch batch;
            if (!stream_->read(batch)) throw Error(grpc::Status(grpc::UNAVAILABLE, "the host ended the watch"));
            if (!heard_first_) heard_first_ = Clock::now();
            items_ = watching_.take(std::move(batch));
        } catch (const Error& error) {
            stream_.reset();
            const auto first = std::exchange(heard_first_, std::nullopt);
            if (!stopping_.token().stop_requested())
                attach_later(error, first ? Clock::now() - *first : Clock::duration{});
        }
    }

    void attach_later(const Error& error, Clock::duration stood) {
        try {
            const auto disconnected = watching_.broke(error, std::chrono::floor<std::chrono::milliseconds>(stood));
            pause_ = disconnected.retry_in;
            items_.push_back(disconnected);
        } catch (const Error& fatal) {
            end_ = fatal;
            throw;
        }
    }

    std::shared_ptr<Connection> connection_;
    Stopping stopping_;
    std::chrono::milliseconds silence_max_;
    Attach attach_;
    Watching<Thing, Event> watching_;
    std::optional<ServerStream<Batch>> stream_;
    typename Watching<Thing, Event>::Items items_;
    std::chrono::milliseconds pause_{0};
    // When the first message of the stream arrived.
    std::optional<Clock::time_point> heard_first_;
    // The error that ended the watch.
    std::optional<Error> end_;
};

}  // namespace wifidirect
