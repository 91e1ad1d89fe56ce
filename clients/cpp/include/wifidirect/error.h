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

/// What is wrong with one field of a request.
struct FieldViolation {
    /// Its path as in the .proto file: `open_timeout`, `session_ids[2]`.
    std::string field;
    /// What would be right, for people.
    std::string description;
};

/// What every call and stream of this library throws: the status of gRPC with its details (see the
/// table in error.proto) as one value. Options that can't be right are INVALID_ARGUMENT.
class Error : public std::runtime_error {
  public:
    /// Decodes a status that is not OK. Details that can't be read, or that a proxy added, are left
    /// out.
    explicit Error(const grpc::Status& status);

    /// The status code of gRPC.
    grpc::StatusCode code() const noexcept;

    /// Why the host refused. ERROR_REASON_UNSPECIFIED where the host did not speak (the connection
    /// broke, the deadline passed, it was cancelled here), and where this version does not know the
    /// reason, see `reason_name`.
    v1::ErrorReason reason() const noexcept;

    /// The reason without its prefix, "OPEN_FAILED", also where only a newer host knows it. Empty
    /// where there is none.
    const std::string& reason_name() const noexcept;

    /// For people, without the reason that `what` begins with.
    const std::string& message() const noexcept;

    /// The variable parts of the message, by the keys that error.proto names at each reason.
    const std::map<std::string, std::string>& metadata() const noexcept;

    /// What the Windows function, or its callback, said; null unless one of them is what failed.
    const v1::NativeResult* native() const noexcept;

    /// How long to wait before asking again, where the host says so.
    std::optional<std::chrono::milliseconds> retry_delay() const noexcept;

    /// What is wrong with the request; empty unless the reason is ERROR_REASON_INVALID_FIELD.
    const std::vector<FieldViolation>& field_violations() const noexcept;

    /// The status as it was received.
    const grpc::Status& status() const noexcept;

  private:
    struct Decoded;

    explicit Error(std::shared_ptr<const Decoded> decoded);

    // Shared, as exceptions are copied and must not throw at that.
    std::shared_ptr<const Decoded> decoded_;
};

/// Throws an Error unless the status is OK: for stubs of your own, on Client::channel.
void throw_unless_ok(const grpc::Status& status);

/// The name of a status code: "UNAVAILABLE".
std::string_view code_name(grpc::StatusCode code) noexcept;

}  // namespace wifidirect
