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

/// What TLS trusts and shows; all of it PEM text. See load_tls.
struct Tls {
    /// Certificates of the authorities that may have signed the host's. Empty: those that the
    /// system trusts.
    std::string ca{};
    /// The client's own certificate, with its chain, for mTLS; needs `key`.
    std::string certificate{};
    /// The private key of `certificate`.
    std::string key{};
    /// The name to look for in the host's certificate. Empty: the one in the address.
    std::string server_name{};
};

/// Reads PEM files; an empty path leaves its field empty. Throws Error (INVALID_ARGUMENT), which
/// names the file.
Tls load_tls(const std::filesystem::path& ca_file, const std::filesystem::path& certificate_file = {},
             const std::filesystem::path& key_file = {});

/// Gives the current bearer token; it is asked at each call, on the thread of the call. If it
/// throws, or gives what no header can hold, the call fails UNAVAILABLE.
using TokenSource = std::function<std::string()>;

/// Names and values to send with a call: {{"traceparent", ...}}.
using Metadata = std::multimap<std::string, std::string>;

/// Gives what to send beside the token; it is asked once for each call and for each attempt of a
/// watch, on the thread of the call. If it throws, or gives what no header can hold, the call fails
/// UNAVAILABLE.
using MetadataHook = std::function<Metadata()>;

/// How to connect; all of it may be left as it is.
struct ConnectOptions {
    /// Default: connections to this machine ("localhost", "127.x.x.x", "[::1]", "unix:") are in
    /// clear text, and those to any other are TLS, trusting what the system trusts.
    std::optional<Tls> tls{};
    /// Goes without TLS, also to another machine: for laboratories.
    bool clear_text = false;
    /// A bearer token for each call, or what gives it. Refused in clear text to another machine.
    std::variant<std::monostate, std::string, TokenSource> token{};
    /// Adds metadata to each call.
    MetadataHook metadata{};
    /// Bounds the unary calls that set no timeout of their own: more than 0, or `no_timeout`.
    std::chrono::milliseconds timeout{std::chrono::seconds{10}};
    /// Bounds each attempt to connect (TCP, TLS and the first answer of the host): 1 ms or more.
    std::chrono::milliseconds connect_timeout{std::chrono::seconds{10}};
    /// Is handed the arguments of the channel; what it sets wins over what this library sets.
    std::function<void(grpc::ChannelArguments&)> configure{};
};

/// No deadline, as a timeout. So is anything of 24 days or more.
inline constexpr auto no_timeout = std::chrono::milliseconds::max();

/// How a unary call may end before its answer.
struct CallOptions {
    /// Default: that of the client, unless the call says otherwise. The deadline bounds the call,
    /// not what was begun.
    std::optional<std::chrono::milliseconds> timeout{};
    /// Ends the call with CANCELLED.
    std::stop_token stop{};
};

}  // namespace wifidirect
