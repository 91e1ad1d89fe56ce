#include "wifidirect/held_session.h"

#include <utility>

#include "durations.h"
#include "held.h"
#include "lease.h"
#include "wifidirect/sessions.h"

namespace wifidirect {

HeldSession::Held::Held(std::shared_ptr<Connection> connection, const v1::OpenSessionRequest& request,
                        const std::stop_token& stop)
    : connection_(std::move(connection)),
      stopping_(*connection_, stop),
      stream_(*connection_, stopping_.token(), silence_max(from_proto(request.heartbeat_interval())),
              [&](auto* context, auto* queue, void* tag) {
                  return v1::SessionService::NewStub(connection_->channel())
                      ->AsyncOpenSession(context, request, queue, tag);
              }) {
    next_ = read();
    if (!next_) throw Error(grpc::Status(grpc::INTERNAL, "the host ended the stream without an event"));
    if (!next_->has_session()) throw Error(grpc::Status(grpc::INTERNAL, "the host's event has no session"));
    id_ = next_->session().session_id();
}

std::optional<v1::SessionEvent> HeldSession::Held::read() {
    v1::OpenSessionResponse response;
    while (stream_.read(response)) {
        host_time_ = response.has_host_time() ? std::optional(response.host_time()) : std::nullopt;
        // A host that sends no time sends no heartbeats either.
        if (!host_time_) stream_.be_patient();
        if (response.has_event()) return std::move(*response.mutable_event());
        response.Clear();
    }
    return std::nullopt;
}

std::optional<v1::SessionEvent> HeldSession::Held::next() {
    auto event = std::exchange(next_, std::nullopt);
    if (!event) event = read();
    if (event) session_ = event->session();
    return event;
}

std::optional<std::chrono::milliseconds> HeldSession::Held::lease_left() const {
    return wifidirect::lease_left(session_, host_time_ ? &*host_time_ : nullptr);
}

v1::Session HeldSession::Held::wait_open() {
    while (session_.state() != v1::SESSION_STATE_OPEN) {
        if (!next()) throw Error(grpc::Status(grpc::CANCELLED, "the session ended before it was open"));
    }
    return session_;
}

HeldSession::HeldSession(std::unique_ptr<Held> held) noexcept : held_(std::move(held)) {}
HeldSession::HeldSession(HeldSession&&) noexcept = default;
HeldSession& HeldSession::operator=(HeldSession&&) noexcept = default;
HeldSession::~HeldSession() = default;

const std::string& HeldSession::id() const noexcept { return held_->id(); }
std::optional<v1::SessionEvent> HeldSession::next() { return held_->next(); }
v1::Session HeldSession::wait_open() { return held_->wait_open(); }
std::optional<std::chrono::milliseconds> HeldSession::lease_left() const { return held_->lease_left(); }
void HeldSession::detach() noexcept { held_->detach(); }

v1::Session HeldSession::close(const CallOptions& options) {
    return Sessions(held_->connection()).close_and_wait(held_->id(), options).session;
}

}  // namespace wifidirect
