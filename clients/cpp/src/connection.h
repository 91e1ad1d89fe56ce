/// Calls: deadlines and tokens in, Error out.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "wifidirect/error.h"
#include "wifidirect/options.h"

namespace wifidirect {

/// The connection to one host. Streams share it, so they can outlive their client; they have ended
/// then.
class Connection {
  public:
    Connection(const std::string& address, ConnectOptions options);

    const std::shared_ptr<grpc::Channel>& channel() const noexcept { return channel_; }

    /// Adds the token and the metadata of the hook. Throws UNAVAILABLE if one of them fails.
    void prepare(grpc::ClientContext& context) const;

    /// If the channel waits to reconnect, makes it try now, and waits briefly for the result.
    /// Otherwise calls would fail until the channel's back-off is over, even if the host is back.
    void hasten(const std::stop_token& stop) const;

    /// The timeout of unary calls that set none.
    std::chrono::milliseconds timeout() const noexcept { return options_.timeout; }

    std::stop_token closing() const noexcept { return closing_.get_token(); }
    void close() noexcept { closing_.request_stop(); }

  private:
    ConnectOptions options_;
    std::shared_ptr<grpc::Channel> channel_;
    std::stop_source closing_;
};

/// The context of one call. It is cancelled when the connection is closed or `stop` is requested.
class Call {
  public:
    Call(const Connection& connection, std::stop_token stop)
        : on_close_(connection.closing(), Cancel{&context_}), on_stop_(std::move(stop), Cancel{&context_}) {
        connection.prepare(context_);
    }

    grpc::ClientContext& context() noexcept { return context_; }

    void set_timeout(std::chrono::milliseconds timeout) {
        // The host takes a longer one as passed, and one that is much longer is past the end of all
        // clocks.
        constexpr std::chrono::days timeout_max{24};
        if (timeout < timeout_max) context_.set_deadline(std::chrono::system_clock::now() + timeout);
    }

  private:
    struct Cancel {
        grpc::ClientContext* context;
        void operator()() const noexcept { context->TryCancel(); }
    };

    grpc::ClientContext context_;
    std::stop_callback<Cancel> on_close_;
    std::stop_callback<Cancel> on_stop_;
};

inline grpc::Status unreadable() { return {grpc::INTERNAL, "a message of the host can't be parsed"}; }

/// Makes a unary call by `invoke(context, response)`, within `timeout` unless the options say
/// otherwise.
template <typename Response, typename Invoke>
Response unary(const Connection& connection, const CallOptions& options, std::chrono::milliseconds timeout,
               Invoke invoke) {
    connection.hasten(options.stop);
    Call call(connection, options.stop);
    call.set_timeout(options.timeout.value_or(timeout));
    Response response;
    const grpc::Status status = invoke(&call.context(), &response);
    // This is how gRPC for C++ reports an answer that can't be parsed.
    if (status.error_code() == grpc::UNIMPLEMENTED &&
        status.error_message() == "No message returned for unary request") {
        throw Error(unreadable());
    }
    throw_unless_ok(status);
    return response;
}

template <typename Response, typename Invoke>
Response unary(const Connection& connection, const CallOptions& options, Invoke invoke) {
    return unary<Response>(connection, options, connection.timeout(), std::move(invoke));
}

/// How long a stream that says something in each interval can be silent; 0 means without limit.
inline std::chrono::milliseconds silence_max(std::chrono::milliseconds interval) {
    constexpr std::chrono::milliseconds longest{std::chrono::hours{24}};
    return 3 * std::clamp(interval, std::chrono::milliseconds{0}, longest);
}

/// The responses of one streaming call. One thread reads. The operations of gRPC run one after
/// another, and each is awaited on a completion queue, because only that wait can have a deadline.
template <typename Response>
class ServerStream {
  public:
    /// Starts the call with `start(context, queue, tag)`. A host that is silent for `silence_max`
    /// during a read is considered gone; 0 means never.
    template <typename Start>
    ServerStream(const Connection& connection, std::stop_token stop, std::chrono::milliseconds silence_max, Start start)
        : call_(connection, std::move(stop)),
          silence_max_(silence_max),
          reader_(start(&call_.context(), &queue_, static_cast<void*>(this))) {}
    ServerStream(const ServerStream&) = delete;
    ServerStream& operator=(const ServerStream&) = delete;

    ~ServerStream() {
        if (!end_) abandon(grpc::Status::CANCELLED);
        queue_.Shutdown();
        void* tag = nullptr;
        bool is_ok = false;
        while (queue_.Next(&tag, &is_ok)) {
        }
    }

    /// Waits for the next response. Returns false after the last one if the call ended OK,
    /// otherwise throws.
    bool read(Response& response) {
        if (read_or_end(response)) return true;
        throw_unless_ok(*end_);
        return false;
    }

    /// The host sends no heartbeats, so its silence means nothing.
    void be_patient() noexcept { silence_max_ = {}; }

  private:
    using Clock = std::chrono::system_clock;

    bool read_or_end(Response& response) {
        if (end_) return false;
        const auto deadline = silence_max_.count() > 0 ? Clock::now() + silence_max_ : Clock::time_point::max();
        std::optional<bool> is_ok = is_started_ ? true : wait(deadline);
        if (is_ok) is_started_ = true;
        if (is_ok.value_or(false)) {
            reader_->Read(&response, this);
            is_ok = wait(deadline);
        }
        if (!is_ok) {
            abandon({grpc::UNAVAILABLE,
                     "nothing was heard from the host for " + std::to_string(silence_max_.count()) + " ms"});
        } else if (!*is_ok) {
            finish();
        }
        return !end_;
    }

    /// Whether the pending operation succeeded; empty if it is still pending at the deadline.
    std::optional<bool> wait(Clock::time_point deadline) {
        void* tag = nullptr;
        bool is_ok = false;
        is_under_way_ = queue_.AsyncNext(&tag, &is_ok, deadline) != grpc::CompletionQueue::GOT_EVENT;
        return is_under_way_ ? std::nullopt : std::optional(is_ok);
    }

    /// The read failed. If the call has not ended, the message could not be parsed.
    void finish() {
        constexpr std::chrono::seconds end_max{2};
        grpc::Status status;
        reader_->Finish(&status, this);
        if (!wait(Clock::now() + end_max)) {
            call_.context().TryCancel();
            wait(Clock::time_point::max());
            status = unreadable();
        }
        end_ = status;
    }

    void abandon(grpc::Status end) {
        call_.context().TryCancel();
        if (is_under_way_ || !is_started_) wait(Clock::time_point::max());
        grpc::Status ignored;
        reader_->Finish(&ignored, this);
        wait(Clock::time_point::max());
        end_ = std::move(end);
    }

    // Declared before the call, so that it is destroyed after it.
    grpc::CompletionQueue queue_;
    Call call_;
    std::chrono::milliseconds silence_max_;
    std::unique_ptr<grpc::ClientAsyncReader<Response>> reader_;
    bool is_started_ = false;
    bool is_under_way_ = false;
    std::optional<grpc::Status> end_;
};

/// A stop source that also stops with `caller` and when the connection is closed.
class Stopping {
  public:
    Stopping(const Connection& connection, std::stop_token caller)
        : on_close_(connection.closing(), Request{own_}), on_caller_(std::move(caller), Request{own_}) {}

    std::stop_token token() const noexcept { return own_.get_token(); }
    void request() noexcept { own_.request_stop(); }

  private:
    struct Request {
        std::stop_source source;
        void operator()() noexcept { source.request_stop(); }
    };

    std::stop_source own_;
    std::stop_callback<Request> on_close_;
    std::stop_callback<Request> on_caller_;
};

}  // namespace wifidirect
