/// The client library of the Wi-Fi Direct Gateway, for programs that use the Wi-Fi Direct sessions
/// and devices of remote Windows hosts.
///
/// Calls block. Streams are input ranges, read item by item. Another thread can end them with
/// std::stop_token, `cancel` or `detach`. Every failure throws Error. The messages are the
/// generated ones of wifidirect::v1; the .proto files describe every field, event and reason.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "wifidirect/devices.h"
#include "wifidirect/error.h"
#include "wifidirect/options.h"
#include "wifidirect/sessions.h"
#include "wifidirect/v1/host_service.pb.h"

namespace wifidirect {

/// The health that the host reports to load balancers and probes (grpc.health.v1).
enum class HealthStatus { unknown, serving, not_serving, service_unknown };

/// A client of one host. Thread-safe. It connects at the first call, and again when the connection
/// breaks. The destructor closes it.
class Client {
  public:
    /// Creates a client of the host at "host:port" or "unix:/path". Does not wait for the
    /// connection. Throws only if the options are invalid, for example a token that would be sent
    /// in clear text.
    explicit Client(const std::string& address, const ConnectOptions& options = {});
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    Client(Client&&) noexcept = default;
    Client& operator=(Client&&) = delete;
    ~Client();

    const Sessions& sessions() const noexcept { return sessions_; }
    const Devices& devices() const noexcept { return devices_; }

    /// Returns the identity, state, versions and limits of the host.
    v1::GetHostResponse host(const CallOptions& options = {}) const;

    /// Returns the health of the host, or of one service ("wifidirect.v1.SessionService") if
    /// `service` is not empty. Throws NOT_FOUND for an unknown service.
    HealthStatus health(const std::string& service = {}, const CallOptions& options = {}) const;

    /// The channel, for stubs of your own. Use `prepare` for their contexts, and `throw_unless_ok`
    /// for their statuses.
    std::shared_ptr<grpc::Channel> channel() const;

    /// Adds the token, if there is one, and the metadata of the hook to the context of a call on
    /// `channel`.
    void prepare(grpc::ClientContext& context) const;

    /// Ends every call and stream of this client with CANCELLED. Any thread can call it.
    /// Idempotent.
    void close() noexcept;

  private:
    std::shared_ptr<Connection> connection_;
    Sessions sessions_;
    Devices devices_;
};

}  // namespace wifidirect
