/// A host whose answers a test gives.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>

#include "wifidirect/client.h"
#include "wifidirect/google_rpc/error_details.pb.h"
#include "wifidirect/google_rpc/status.pb.h"
#include "wifidirect/v1/session_service.grpc.pb.h"

/// Serves, at this port or one of its own, for as long as it is there.
class Serving {
  public:
    explicit Serving(grpc::Service& service, int port = 0);
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;
    /// Cancels what is under way.
    ~Serving();

    int port() const { return port_; }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  private:
    int port_;
    std::unique_ptr<grpc::Server> server_;
};

/// What a test does not give is UNIMPLEMENTED.
class ScriptedHost : public wifidirect::v1::SessionService::Service {
  public:
    template <typename Request, typename Response>
    using Unary = std::function<grpc::Status(grpc::ServerContext&, const Request&, Response&)>;
    template <typename Request, typename Response>
    using Streaming = std::function<grpc::Status(grpc::ServerContext&, const Request&, grpc::ServerWriter<Response>&)>;

    Streaming<wifidirect::v1::OpenSessionRequest, wifidirect::v1::OpenSessionResponse> on_open;
    Streaming<wifidirect::v1::WatchSessionsRequest, wifidirect::v1::WatchSessionsResponse> on_watch;
    Unary<wifidirect::v1::CloseSessionRequest, wifidirect::v1::CloseSessionResponse> on_close;
    Unary<wifidirect::v1::GetSessionRequest, wifidirect::v1::GetSessionResponse> on_get;
    Unary<wifidirect::v1::ListSessionsRequest, wifidirect::v1::ListSessionsResponse> on_list;

    /// Answers with the address.
    std::string serve() { return serving_.emplace(*this).address(); }

    grpc::Status OpenSession(grpc::ServerContext* context, const wifidirect::v1::OpenSessionRequest* request,
                             grpc::ServerWriter<wifidirect::v1::OpenSessionResponse>* writer) override;
    grpc::Status WatchSessions(grpc::ServerContext* context, const wifidirect::v1::WatchSessionsRequest* request,
                               grpc::ServerWriter<wifidirect::v1::WatchSessionsResponse>* writer) override;
    grpc::Status CloseSession(grpc::ServerContext* context, const wifidirect::v1::CloseSessionRequest* request,
                              wifidirect::v1::CloseSessionResponse* response) override;
    grpc::Status GetSession(grpc::ServerContext* context, const wifidirect::v1::GetSessionRequest* request,
                            wifidirect::v1::GetSessionResponse* response) override;
    grpc::Status ListSessions(grpc::ServerContext* context, const wifidirect::v1::ListSessionsRequest* request,
                              wifidirect::v1::ListSessionsResponse* response) override;

  private:
    // Last: it ends first.
    std::optional<Serving> serving_;
};

/// A host that sends these bytes for a message, whatever it is asked, and leaves streams open.
class HostOfBytes {
  public:
    explicit HostOfBytes(std::string bytes);
    HostOfBytes(const HostOfBytes&) = delete;
    HostOfBytes& operator=(const HostOfBytes&) = delete;
    ~HostOfBytes();

    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  private:
    class Answering;

    std::string bytes_;
    int port_ = 0;
    std::unique_ptr<grpc::CallbackGenericService> service_;
    std::unique_ptr<grpc::Server> server_;
};

/// Waits until the caller is gone.
void wait_until_cancelled(const grpc::ServerContext& context);

/// What a host says: a status with these details.
class Refusal {
  public:
    explicit Refusal(grpc::StatusCode code) { rich_.set_code(code); }

    Refusal& reason(const std::string& reason, const std::string& domain = "wifidirect.v1");
    Refusal& retry_after(std::chrono::nanoseconds delay);
    /// Under the name that it has on the wire.
    Refusal& detail(const std::string& type, const google::protobuf::Message& message);

    grpc::Status status() const;
    wifidirect::Error error() const { return wifidirect::Error(status()); }

  private:
    wifidirect::google_rpc::Status rich_;
};

/// The error that the work throws; nothing where it throws none.
template <typename Work>
std::optional<wifidirect::Error> error_of(Work work) {
    try {
        work();
    } catch (const wifidirect::Error& error) {
        return error;
    }
    return std::nullopt;
}
