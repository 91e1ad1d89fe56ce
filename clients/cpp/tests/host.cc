#include "host.h"

#include <chrono>
#include <thread>
#include <utility>

namespace v1 = wifidirect::v1;

namespace {

template <typename Script, typename Request, typename Answer>
grpc::Status play(const Script& script, grpc::ServerContext& context, const Request& request, Answer& answer) {
    if (!script) return {grpc::UNIMPLEMENTED, "the test gives no answer"};
    return script(context, request, answer);
}

}  // namespace

Serving::Serving(grpc::Service& service, int port) : port_(port) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address(), grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service);
    server_ = builder.BuildAndStart();
}

Serving::~Serving() { server_->Shutdown(std::chrono::system_clock::now()); }

grpc::Status ScriptedHost::OpenSession(grpc::ServerContext* context, const v1::OpenSessionRequest* request,
                                       grpc::ServerWriter<v1::OpenSessionResponse>* writer) {
    return play(on_open, *context, *request, *writer);
}

grpc::Status ScriptedHost::WatchSessions(grpc::ServerContext* context, const v1::WatchSessionsRequest* request,
                                         grpc::ServerWriter<v1::WatchSessionsResponse>* writer) {
    return play(on_watch, *context, *request, *writer);
}

grpc::Status ScriptedHost::CloseSession(grpc::ServerContext* context, const v1::CloseSessionRequest* request,
                                        v1::CloseSessionResponse* response) {
    return play(on_close, *context, *request, *response);
}

grpc::Status ScriptedHost::GetSession(grpc::ServerContext* context, const v1::GetSessionRequest* request,
                                      v1::GetSessionResponse* response) {
    return play(on_get, *context, *request, *response);
}

grpc::Status ScriptedHost::ListSessions(grpc::ServerContext* context, const v1::ListSessionsRequest* request,
                                        v1::ListSessionsResponse* response) {
    return play(on_list, *context, *request, *response);
}

/// Answers one call.
class Bytes : public grpc::ServerGenericBidiReactor {
  public:
    Bytes(const std::string& bytes, bool is_stream) : is_stream_(is_stream) {
        const grpc::Slice slice(bytes);
        answer_ = grpc::ByteBuffer(&slice, 1);
        StartRead(&request_);
    }

    void OnReadDone(bool /*is_ok*/) override { StartWrite(&answer_); }
    void OnWriteDone(bool /*is_ok*/) override {
        if (!is_stream_) Finish(grpc::Status::OK);
    }
    void OnCancel() override {
        if (is_stream_) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

  private:
    bool is_stream_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer answer_;
};

class HostOfBytes::Answering : public grpc::CallbackGenericService {
  public:
    explicit Answering(const std::string& bytes) : bytes_(bytes) {}

  private:
    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
        return new Bytes(bytes_, context->method().find("Watch") != std::string::npos);
    }

    const std::string& bytes_;
};

HostOfBytes::HostOfBytes(std::string bytes) : bytes_(std::move(bytes)), service_(std::make_unique<Answering>(bytes_)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(service_.get());
    server_ = builder.BuildAndStart();
}

HostOfBytes::~HostOfBytes() { server_->Shutdown(std::chrono::system_clock::now()); }

void wait_until_cancelled(const grpc::ServerContext& context) {
    // A synchronous service of gRPC can't be told, only ask.
    while (!context.IsCancelled()) std::this_thread::yield();
}

Refusal& Refusal::reason(const std::string& reason, const std::string& domain) {
    wifidirect::google_rpc::ErrorInfo info;
    info.set_domain(domain);
    info.set_reason(reason);
    (*info.mutable_metadata())["key"] = "value";
    return detail("google.rpc.ErrorInfo", info);
}

Refusal& Refusal::retry_after(std::chrono::nanoseconds delay) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(delay);
    wifidirect::google_rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(seconds.count());
    retry.mutable_retry_delay()->set_nanos(static_cast<int>((delay - seconds).count()));
    return detail("google.rpc.RetryInfo", retry);
}

Refusal& Refusal::detail(const std::string& type, const google::protobuf::Message& message) {
    auto* any = rich_.add_details();
    any->set_type_url("type.googleapis.com/" + type);
    any->set_value(message.SerializeAsString());
    return *this;
}

grpc::Status Refusal::status() const {
    return {static_cast<grpc::StatusCode>(rich_.code()), "the text", rich_.SerializeAsString()};
}
