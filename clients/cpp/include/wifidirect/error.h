#pragma once

#include <grpcpp/support/status.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "wifidirect/v1/error.pb.h"

namespace wifidirect {

/// Why one field of a request is invalid.
struct FieldViolation {
    /// The path of the field as in the .proto file, such as `open_timeout` or `session_ids[2]`.
    std::string field;
    /// Describes a valid value, for people.
    std::string description;
};

/// The error that every call and stream of this library throws: the gRPC status with its decoded
/// details (see the table in error.proto). Invalid options are INVALID_ARGUMENT.
class Error : public std::runtime_error {
  public:
    /// Decodes a status that is not OK. Details that can't be parsed, or that a proxy has added,
    /// are ignored.
    explicit Error(const grpc::Status& status);

    /// The gRPC status code.
    grpc::StatusCode code() const noexcept;

    /// Why the host refused. ERROR_REASON_UNSPECIFIED if the error does not come from the host (a
    /// broken connection, a deadline, a cancel), or if this version does not know the reason; see
    /// `reason_name`.
    v1::ErrorReason reason() const noexcept;

    /// The reason without its prefix, such as "OPEN_FAILED", even if this version does not know it.
    /// Empty if there is none.
    const std::string& reason_name() const noexcept;

    /// The message for people, without the reason with which `what` begins.
    const std::string& message() const noexcept;

    /// The variable parts of the message. error.proto lists the keys of each reason.
    const std::map<std::string, std::string>& metadata() const noexcept;

    /// The result of the Windows function or callback that failed; null if none did.
    const v1::NativeResult* native() const noexcept;

    /// How long to wait before a retry, if the host says so.
    std::optional<std::chrono::milliseconds> retry_delay() const noexcept;

    /// The invalid fields of the request; empty unless the reason is ERROR_REASON_INVALID_FIELD.
    const std::vector<FieldViolation>& field_violations() const noexcept;

    /// The status as it was received.
    const grpc::Status& status() const noexcept;

  private:
    struct Decoded;

    explicit Error(std::shared_ptr<const Decoded> decoded);

    // Shared, because copying an exception must not throw.
    std::shared_ptr<const Decoded> decoded_;
};

/// Throws an Error unless the status is OK. For stubs of your own on Client::channel.
void throw_unless_ok(const grpc::Status& status);

/// The name of a status code, such as "UNAVAILABLE".
std::string_view code_name(grpc::StatusCode code) noexcept;

}  // namespace wifidirect
