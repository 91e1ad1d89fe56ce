/// The client library of the Wi-Fi Direct Gateway: the Wi-Fi Direct sessions and devices of Windows
/// hosts for programs anywhere.
///
/// Calls block. Streams are read item by item and are input ranges; std::stop_token, or their own
/// `cancel` and `detach`, end them from another thread. Whatever fails throws Error. The messages
/// are the generated ones of wifidirect::v1; the .proto files are the manual of every field, event
/// and reason.
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

/// What the host tells load balancers and probes (grpc.health.v1).
enum class HealthStatus { unknown, serving, not_serving, service_unknown };

/// One host. It is cheap to keep, and may be used by several threads at once: it connects when it
/// is first used, and again when it has to. At its end it is closed.
class Client {
  public:
    /// Makes a client of the host at "host:port", or "unix:/path". Does not wait for the
    /// connection; `host` does. Throws only where the options can't be right, such as a token in
    /// clear text.
    explicit Client(const std::string& address, const ConnectOptions& options = {});
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    Client(Client&&) noexcept = default;
    Client& operator=(Client&&) = delete;
    ~Client();

    const Sessions& sessions() const noexcept { return sessions_; }
    const Devices& devices() const noexcept { return devices_; }

    /// Tells which host this is, whether it can do its work, on what it runs, and its limits.
    v1::GetHostResponse host(const CallOptions& options = {}) const;

    /// Of the host itself (`service` is empty) or of one of its services
    /// ("wifidirect.v1.SessionService"). NOT_FOUND for a service that it doesn't know.
    HealthStatus health(const std::string& service = {}, const CallOptions& options = {}) const;

    /// The connection itself, for stubs of your own: `prepare` their contexts, and
    /// `throw_unless_ok` their statuses.
    std::shared_ptr<grpc::Channel> channel() const;

    /// Gives the context of a call on `channel` the token, where there is one, and what the hook
    /// for metadata gives.
    void prepare(grpc::ClientContext& context) const;

    /// Ends every call and stream of this client with CANCELLED, from any thread. Harmless to
    /// repeat.
    void close() noexcept;

  private:
    std::shared_ptr<Connection> connection_;
    Sessions sessions_;
    Devices devices_;
};

}  // namespace wifidirect
