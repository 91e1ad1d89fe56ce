#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

namespace grpc {
class ChannelArguments;
}

namespace wifidirect {

/// The certificates and keys of a TLS connection, as PEM text. See load_tls.
struct Tls {
    /// The authorities that are trusted to sign the host's certificate. Empty: those that the
    /// system trusts.
    std::string ca{};
    /// The certificate of the client with its chain, for mTLS. Requires `key`.
    std::string certificate{};
    /// The private key of `certificate`.
    std::string key{};
    /// The name that the host's certificate must have. Empty: the name in the address.
    std::string server_name{};
};

/// Reads PEM files. A field stays empty if its path is empty. Throws Error (INVALID_ARGUMENT) that
/// names the file.
Tls load_tls(const std::filesystem::path& ca_file, const std::filesystem::path& certificate_file = {},
             const std::filesystem::path& key_file = {});

/// Returns the current bearer token. Called for each call, on its thread. If it throws, or returns
/// what a header can't hold, the call fails with UNAVAILABLE.
using TokenSource = std::function<std::string()>;

/// Names and values that are sent with a call, such as {{"traceparent", ...}}.
using Metadata = std::multimap<std::string, std::string>;

/// Returns metadata to send in addition to the token. Called for each call and for each attempt of
/// a watch, on its thread. If it throws, or returns what a header can't hold, the call fails with
/// UNAVAILABLE.
using MetadataHook = std::function<Metadata()>;

/// How to connect. Every field has a default.
struct ConnectOptions {
    /// Default: no TLS for connections to this machine ("localhost", "127.x.x.x", "[::1]",
    /// "unix:"), otherwise TLS with the authorities that the system trusts.
    std::optional<Tls> tls{};
    /// Uses no TLS, even to another machine. For tests only.
    bool clear_text = false;
    /// The bearer token, or a function that returns it. Refused if it would be sent in clear text
    /// to another machine.
    std::variant<std::monostate, std::string, TokenSource> token{};
    /// Adds metadata to each call.
    MetadataHook metadata{};
    /// The timeout of unary calls that set none: more than 0, or `no_timeout`.
    std::chrono::milliseconds timeout{std::chrono::seconds{10}};
    /// The time limit of each attempt to connect (TCP, TLS and the first HTTP/2 settings of the
    /// host): at least 1 ms.
    std::chrono::milliseconds connect_timeout{std::chrono::seconds{10}};
    /// Called with the arguments of the channel. Its settings override those of this library.
    std::function<void(grpc::ChannelArguments&)> configure{};
};

/// A timeout that means no deadline. Any timeout of 24 days or more means the same.
inline constexpr auto no_timeout = std::chrono::milliseconds::max();

/// When a unary call ends without an answer.
struct CallOptions {
    /// Default: the timeout of the client, unless the call documents another one. It limits the
    /// call, not the operation that the call has begun.
    std::optional<std::chrono::milliseconds> timeout{};
    /// Ends the call with CANCELLED.
    std::stop_token stop{};
};

}  // namespace wifidirect
