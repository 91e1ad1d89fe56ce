#include "wifidirect/error.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "durations.h"
#include "wifidirect/google_rpc/error_details.pb.h"
#include "wifidirect/google_rpc/status.pb.h"

namespace wifidirect {

struct Error::Decoded {
    grpc::Status status;
    std::string message;
    v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
    std::string reason_name;
    std::map<std::string, std::string> metadata;
    std::optional<v1::NativeResult> native;
    std::optional<std::chrono::milliseconds> retry_delay;
    std::vector<FieldViolation> field_violations;

    explicit Decoded(const grpc::Status& received);

    void add(const google_rpc::ErrorInfo& info);
    std::string what() const;
};

namespace {

/// Found by type URL, because the messages of google.rpc have another name in this library.
template <typename Message>
std::optional<Message> unpack(const google::protobuf::Any& any, std::string_view type) {
    Message message;
    if (any.type_url() != std::string("type.googleapis.com/").append(type)) return std::nullopt;
    if (!message.ParseFromString(any.value())) return std::nullopt;
    return message;
}

}  // namespace

Error::Decoded::Decoded(const grpc::Status& received) : status(received), message(received.error_message()) {
    google_rpc::Status rich;
    if (!rich.ParseFromString(received.error_details())) return;
    for (const auto& detail : rich.details()) {
        if (const auto info = unpack<google_rpc::ErrorInfo>(detail, "google.rpc.ErrorInfo")) {
            add(*info);
        } else if (const auto bad = unpack<google_rpc::BadRequest>(detail, "google.rpc.BadRequest")) {
            for (const auto& violation : bad->field_violations()) {
                field_violations.push_back({violation.field(), violation.description()});
            }
        } else if (const auto retry = unpack<google_rpc::RetryInfo>(detail, "google.rpc.RetryInfo")) {
            const auto delay = from_proto(retry->retry_delay());
            if (delay > std::chrono::milliseconds{0}) retry_delay = delay;
        } else if (auto said = unpack<v1::NativeResult>(detail, "wifidirect.v1.NativeResult")) {
            native = std::move(said);
        }
    }
}

void Error::Decoded::add(const google_rpc::ErrorInfo& info) {
    if (info.domain() != "wifidirect.v1") return;
    reason_name = info.reason();
    metadata = {info.metadata().begin(), info.metadata().end()};
    // A reason that this version does not know leaves it unspecified.
    v1::ErrorReason_Parse("ERROR_REASON_" + reason_name, &reason);
}

std::string Error::Decoded::what() const {
    const std::string head = reason_name.empty() ? std::string(code_name(status.error_code())) : reason_name;
    return head + ": " + (message.empty() ? "the call failed" : message);
}

Error::Error(const grpc::Status& status) : Error(std::make_shared<const Decoded>(status)) {}

Error::Error(std::shared_ptr<const Decoded> decoded)
    : std::runtime_error(decoded->what()), decoded_(std::move(decoded)) {}

grpc::StatusCode Error::code() const noexcept { return decoded_->status.error_code(); }
v1::ErrorReason Error::reason() const noexcept { return decoded_->reason; }
const std::string& Error::reason_name() const noexcept { return decoded_->reason_name; }
const std::string& Error::message() const noexcept { return decoded_->message; }
const std::map<std::string, std::string>& Error::metadata() const noexcept { return decoded_->metadata; }
const v1::NativeResult* Error::native() const noexcept { return decoded_->native ? &*decoded_->native : nullptr; }
std::optional<std::chrono::milliseconds> Error::retry_delay() const noexcept { return decoded_->retry_delay; }
const std::vector<FieldViolation>& Error::field_violations() const noexcept { return decoded_->field_violations; }
const grpc::Status& Error::status() const noexcept { return decoded_->status; }

void throw_unless_ok(const grpc::Status& status) {
    if (!status.ok()) throw Error(status);
}

std::string_view code_name(grpc::StatusCode code) noexcept {
    static constexpr std::array<std::string_view, 17> names{
        "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
        "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
        "DATA_LOSS", "UNAUTHENTICATED"};
    const auto at = static_cast<std::size_t>(code);
    return at < names.size() ? names[at] : "UNKNOWN";
}

}  // namespace wifidirect
