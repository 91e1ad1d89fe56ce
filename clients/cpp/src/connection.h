/// Calls: deadlines and tokens in, Error out.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "wifidirect/error.h"
#include "wifidirect/options.h"

namespace wifidirect {

/// The way to one host. Streams share it, so they may outlive their client; they have then ended.
class Connection {
  public:
    Connection(const std::string& address, ConnectOptions options);

    const std::shared_ptr<grpc::Channel>& channel() const noexcept { return channel_; }

    /// Adds the token. Throws UNAVAILABLE where it can't be had, INVALID_ARGUMENT where no header can hold it.
    void prepare(grpc::ClientContext& context) const;

    /// Of unary calls that say nothing else.
    std::chrono::milliseconds timeout() const noexcept { return options_.timeout; }

    std::stop_token closing() const noexcept { return closing_.get_token(); }
    void close() noexcept { closing_.request_stop(); }

  private:
    ConnectOptions options_;
    std::shared_ptr<grpc::Channel> channel_;
    std::stop_source closing_;
};

/// The context of one call, which is cancelled when the connection is closed, or `stop` says so.
class Call {
  public:
    Call(const Connection& connection, std::stop_token stop)
        : on_close_(connection.closing(), Cancel{&context_}), on_stop_(std::move(stop), Cancel{&context_}) {
        connection.prepare(context_);
    }

    grpc::ClientContext& context() noexcept { return context_; }

    void set_timeout(std::chrono::milliseconds timeout) {
        // The host takes a longer one as passed, and one that is much longer is past the end of all clocks.
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

/// Makes a unary call by `invoke(context, response)`, within `timeout` unless the options say otherwise.
template <typename Response, typename Invoke>
Response unary(const Connection& connection, const CallOptions& options, std::chrono::milliseconds timeout,
               Invoke invoke) {
    Call call(connection, options.stop);
    call.set_timeout(options.timeout.value_or(timeout));
    Response response;
    throw_unless_ok(invoke(&call.context(), &response));
    return response;
}

template <typename Response, typename Invoke>
Response unary(const Connection& connection, const CallOptions& options, Invoke invoke) {
    return unary<Response>(connection, options, connection.timeout(), std::move(invoke));
}

/// The responses of one call that streams them.
template <typename Response>
class ServerStream {
  public:
    /// Calls by `start(context)`.
    template <typename Start>
    ServerStream(const Connection& connection, std::stop_token stop, Start start)
        : call_(connection, std::move(stop)), reader_(start(&call_.context())) {}
    ServerStream(const ServerStream&) = delete;
    ServerStream& operator=(const ServerStream&) = delete;

    ~ServerStream() {
        call_.context().TryCancel();
        Response unread;
        while (read_or_end(unread)) {
        }
    }

    /// Waits for the next response. False after the last where the call ended well, else it throws.
    bool read(Response& response) {
        if (read_or_end(response)) return true;
        throw_unless_ok(*end_);
        return false;
    }

  private:
    bool read_or_end(Response& response) {
        if (end_) return false;
        if (reader_->Read(&response)) return true;
        end_ = reader_->Finish();
        return false;
    }

    Call call_;
    std::unique_ptr<grpc::ClientReader<Response>> reader_;
    std::optional<grpc::Status> end_;
};

/// Stops when asked to, when `caller` says so, and when the connection is closed.
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
