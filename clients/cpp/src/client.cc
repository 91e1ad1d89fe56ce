#include "wifidirect/client.h"

#include <google/protobuf/wrappers.pb.h>
#include <grpcpp/generic/generic_stub.h>

#include <future>

#include "connection.h"
#include "wifidirect/v1/host_service.grpc.pb.h"

namespace wifidirect {

Client::Client(const std::string& address, const ConnectOptions& options)
    : connection_(std::make_shared<Connection>(address, options)), sessions_(connection_), devices_(connection_) {}

Client::~Client() { close(); }

v1::GetHostResponse Client::host(const CallOptions& options) const {
    return unary<v1::GetHostResponse>(*connection_, options, [&](auto* context, auto* response) {
        return v1::HostService::NewStub(connection_->channel())->GetHost(context, {}, response);
    });
}

HealthStatus Client::health(const std::string& service, const CallOptions& options) const {
    // These are the two messages of Health.Check on the wire. Linking generated code for them would
    // clash with programs that have it already.
    using Request = google::protobuf::StringValue;
    using Response = google::protobuf::Int32Value;
    Request request;
    request.set_value(service);
    const auto response = unary<Response>(*connection_, options, [&](auto* context, auto* answer) {
        grpc::TemplatedGenericStub<Request, Response> stub(connection_->channel());
        const auto end = std::make_shared<std::promise<grpc::Status>>();
        stub.UnaryCall(context, "/grpc.health.v1.Health/Check", {}, &request, answer,
                       [end](grpc::Status status) { end->set_value(std::move(status)); });
        return end->get_future().get();
    });
    const auto status = static_cast<HealthStatus>(response.value());
    return status <= HealthStatus::service_unknown ? status : HealthStatus::unknown;
}

std::shared_ptr<grpc::Channel> Client::channel() const { return connection_->channel(); }

void Client::prepare(grpc::ClientContext& context) const { connection_->prepare(context); }

void Client::close() noexcept {
    if (connection_) connection_->close();
}

}  // namespace wifidirect
