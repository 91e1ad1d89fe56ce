#include "wifidirect/sessions.h"

#include <utility>

#include "connection.h"
#include "durations.h"
#include "following.h"
#include "held.h"
#include "lease.h"
#include "request_id.h"
#include "wifidirect/v1/session_service.grpc.pb.h"

namespace wifidirect {
namespace {

std::unique_ptr<v1::SessionService::Stub> stub_of(const Connection& connection) {
    return v1::SessionService::NewStub(connection.channel());
}

template <typename Response>
SessionAt shown(Response response) {
    if (!response.has_session()) throw Error(grpc::Status(grpc::INTERNAL, "the host's answer has no session"));
    const auto left = lease_left(response.session(), response.has_host_time() ? &response.host_time() : nullptr);
    return {std::move(*response.mutable_session()), std::move(*response.mutable_cursor()), left};
}

v1::CloseSessionRequest close_request(const std::string& session_id) {
    v1::CloseSessionRequest request;
    request.set_session_id(session_id);
    request.set_request_id(new_request_id());
    return request;
}

}  // namespace

Sessions::Sessions(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

HeldSession Sessions::open(const OpenRequest& request, const std::stop_token& stop) const {
    v1::OpenSessionRequest message;
    message.set_device_address(request.device_address);
    message.set_session_id(request.session_id);
    message.set_kind(request.kind);
    if (request.open_timeout) *message.mutable_open_timeout() = to_proto(*request.open_timeout);
    if (request.lease_ttl) *message.mutable_lease_ttl() = to_proto(*request.lease_ttl);
    if (request.heartbeat_interval.count() != 0) {
        *message.mutable_heartbeat_interval() = to_proto(request.heartbeat_interval);
    }
    message.set_request_id(request.request_id.empty() ? new_request_id() : request.request_id);
    connection_->hasten(stop);
    return HeldSession(std::make_unique<HeldSession::Held>(connection_, message, stop));
}

SessionAt Sessions::close(const std::string& session_id, const CallOptions& options) const {
    const auto request = close_request(session_id);
    return shown(unary<v1::CloseSessionResponse>(*connection_, options, [&](auto* context, auto* response) {
        return stub_of(*connection_)->CloseSession(context, request, response);
    }));
}

SessionAt Sessions::close_and_wait(const std::string& session_id, const CallOptions& options) const {
    auto request = close_request(session_id);
    request.set_wait_for_disconnect(true);
    return shown(unary<v1::CloseSessionResponse>(*connection_, options, no_timeout, [&](auto* context, auto* response) {
        return stub_of(*connection_)->CloseSession(context, request, response);
    }));
}

SessionAt Sessions::cancel(const std::string& session_id, const CallOptions& options) const {
    v1::CancelOpenSessionRequest request;
    request.set_session_id(session_id);
    request.set_request_id(new_request_id());
    return shown(unary<v1::CancelOpenSessionResponse>(*connection_, options, [&](auto* context, auto* response) {
        return stub_of(*connection_)->CancelOpenSession(context, request, response);
    }));
}

SessionAt Sessions::renew(const std::string& session_id, std::optional<std::chrono::milliseconds> lease_ttl,
                          const CallOptions& options) const {
    v1::RenewSessionRequest request;
    request.set_session_id(session_id);
    if (lease_ttl) *request.mutable_lease_ttl() = to_proto(*lease_ttl);
    request.set_request_id(new_request_id());
    return shown(unary<v1::RenewSessionResponse>(*connection_, options, [&](auto* context, auto* response) {
        return stub_of(*connection_)->RenewSession(context, request, response);
    }));
}

SessionAt Sessions::get(const std::string& session_id, const CallOptions& options) const {
    v1::GetSessionRequest request;
    request.set_session_id(session_id);
    return shown(unary<v1::GetSessionResponse>(*connection_, options, [&](auto* context, auto* response) {
        return stub_of(*connection_)->GetSession(context, request, response);
    }));
}

Pages<v1::Session> Sessions::list(const ListOptions& options, const CallOptions& call) const {
    v1::ListSessionsRequest request;
    request.set_page_size(options.page_size);
    request.mutable_states()->Add(options.states.begin(), options.states.end());
    request.set_device_address(options.device_address);
    return Pages<v1::Session>([connection = connection_, request, call](const std::string& token) mutable {
        request.set_page_token(token);
        auto page = unary<v1::ListSessionsResponse>(*connection, call, [&](auto* context, auto* response) {
            return stub_of(*connection)->ListSessions(context, request, response);
        });
        return Pages<v1::Session>::Page{moved(*page.mutable_sessions()), page.next_page_token()};
    });
}

SessionWatch Sessions::watch(const WatchOptions& options, const std::stop_token& stop) const {
    v1::WatchSessionsRequest request;
    request.mutable_session_ids()->Add(options.session_ids.begin(), options.session_ids.end());
    if (options.bookmark_interval) *request.mutable_bookmark_interval() = to_proto(*options.bookmark_interval);
    auto attach = [stub = std::shared_ptr(stub_of(*connection_)), request](
                      grpc::ClientContext* context, const std::string& cursor, grpc::CompletionQueue* queue,
                      void* tag) mutable {
        request.set_cursor(cursor);
        return stub->AsyncWatchSessions(context, request, queue, tag);
    };
    return SessionWatch(std::make_unique<Following<v1::Session, v1::SessionEvent, v1::WatchSessionsResponse>>(
        connection_, stop, options.bookmark_interval.value_or(bookmark_interval_default), std::move(attach),
        Watching<v1::Session, v1::SessionEvent>(options.cursor, options.backoff)));
}

}  // namespace wifidirect
