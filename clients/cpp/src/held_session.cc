#include "wifidirect/held_session.h"

#include <utility>

#include "held.h"
#include "wifidirect/sessions.h"

namespace wifidirect {

HeldSession::Held::Held(std::shared_ptr<Connection> connection, const v1::OpenSessionRequest& request,
                        const std::stop_token& stop)
    : connection_(std::move(connection)),
      stopping_(*connection_, stop),
      stream_(*connection_, stopping_.token(), [&](grpc::ClientContext* context) {
          return v1::SessionService::NewStub(connection_->channel())->OpenSession(context, request);
      }) {
    v1::OpenSessionResponse first;
    if (!stream_.read(first)) {
        throw Error(grpc::Status(grpc::INTERNAL, "the host ended the stream without an event"));
    }
    next_ = std::move(*first.mutable_event());
    id_ = next_->session().session_id();
}

std::optional<v1::SessionEvent> HeldSession::Held::next() {
    auto event = std::exchange(next_, std::nullopt);
    if (v1::OpenSessionResponse response; !event && stream_.read(response)) {
        event = std::move(*response.mutable_event());
    }
    if (event) session_ = event->session();
    return event;
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
void HeldSession::detach() noexcept { held_->detach(); }

v1::Session HeldSession::close(const CallOptions& options) {
    return Sessions(held_->connection()).close_and_wait(held_->id(), options).session;
}

}  // namespace wifidirect
