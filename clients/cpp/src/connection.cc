#include "connection.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <exception>
#include <regex>
#include <variant>

namespace wifidirect {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw Error(grpc::Status(grpc::INVALID_ARGUMENT, why)); }

/// Follows gRPC: a scheme is in lower case, and an IPv6 address without brackets has no port.
bool is_this_machine(const std::string& address) {
    static const std::regex local(
        R"(unix:.*|((dns|ipv4|ipv6):(///)?)?((localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?|::1))");
    return std::regex_match(address, local);
}

/// Accepts a host and port, or a scheme that gRPC knows.
void check_address(const std::string& address) {
    static const std::regex blank(R"(\s*)");
    static const std::regex with_scheme(R"(([A-Za-z][A-Za-z0-9+.-]*)://+(.*))");
    static const std::regex schemes("dns|ipv4|ipv6|passthrough|unix|xds");
    static const std::regex of_grpc(R"((dns|ipv4|ipv6|passthrough|unix|unix-abstract|vsock|xds):.*)",
                                    std::regex::icase);
    static const std::regex port_behind(R"(([^:]+|\[.*\]):([^:]*))");
    static const std::regex port(R"(0*[1-9]\d{0,4})");
    if (std::regex_match(address, blank)) refuse("the address is empty; give host:port, or unix:/path");
    std::smatch parts;
    if (std::regex_match(address, parts, with_scheme) && !std::regex_match(parts[1].str(), schemes)) {
        refuse("the address \"" + address + "\" has a scheme; write \"" + parts[2].str() +
               "\" (tls says whether it is TLS)");
    }
    if (std::regex_match(address, of_grpc)) return;
    const bool has_no_host = address.starts_with(':') && !address.starts_with("::");
    if (has_no_host || address.find_first_of("/ \t\r\n") != std::string::npos) {
        refuse("the address \"" + address + "\" is neither host:port nor unix:/path");
    }
    constexpr int port_max = 65'535;
    if (std::regex_match(address, parts, port_behind) &&
        (!std::regex_match(parts[2].str(), port) || std::stoi(parts[2]) > port_max)) {
        refuse("the address \"" + address + "\" has no port that can be: it is 1 to " + std::to_string(port_max));
    }
}

bool is_printable(const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

/// Null if a header can hold the value. gRPC aborts the process if it can't, for example because of
/// a trailing newline from a file.
const char* what_is_wrong_with(const std::string& token) {
    if (token.empty()) return "it is empty";
    if (is_printable(token)) return nullptr;
    return "it has a character that no header can hold, such as the end of a line; trim it";
}

grpc::ChannelArguments arguments_for(const ConnectOptions& options, bool is_local) {
    grpc::ChannelArguments arguments;
    // A host that vanishes is noticed within 30 s. Watches have no deadline that would notice it.
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    // Newer versions of gRPC use this limit for the answer to a ping; their default is a minute.
    arguments.SetInt("grpc.http2.ping_timeout_ms", 10'000);
    // Calls fail immediately while the channel waits to reconnect, so it must not wait longer than
    // a watch does.
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 250);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 10'000);
    // Despite its name, this is the time limit of one attempt to connect.
    constexpr std::chrono::milliseconds attempt_max{std::chrono::hours{1}};
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                     static_cast<int>(std::min(options.connect_timeout, attempt_max).count()));
    if (is_local) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    return arguments;
}

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const Tls& tls) {
    if (tls.certificate.empty() != tls.key.empty()) refuse("tls: certificate and key go together");
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = tls.ca;
    options.pem_cert_chain = tls.certificate;
    options.pem_private_key = tls.key;
    return grpc::SslCredentials(options);
}

std::shared_ptr<grpc::Channel> make_channel(const std::string& address, const ConnectOptions& options) {
    if (options.tls && options.clear_text) refuse("tls and clear_text exclude each other");
    check_address(address);
    if (options.timeout <= std::chrono::milliseconds{0}) refuse("timeout: must be more than 0");
    if (options.connect_timeout < std::chrono::milliseconds{1}) refuse("connect_timeout: must be 1 ms or more");
    const bool is_local = is_this_machine(address);
    const bool is_secure = options.tls || (!is_local && !options.clear_text);
    if (!std::holds_alternative<std::monostate>(options.token) && !is_secure && !is_local) {
        // Invariant: no credential is sent in clear text, except to this machine.
        refuse("the token would reach " + address + " in clear text; use TLS");
    }
    if (const auto* token = std::get_if<std::string>(&options.token)) {
        if (const auto* wrong = what_is_wrong_with(*token)) refuse(std::string("token: ") + wrong);
    }
    const Tls tls = options.tls.value_or(Tls{});
    auto arguments = arguments_for(options, is_local);
    if (!tls.server_name.empty()) arguments.SetSslTargetNameOverride(tls.server_name);
    if (options.configure) options.configure(arguments);
    return grpc::CreateCustomChannel(address, is_secure ? credentials_of(tls) : grpc::InsecureChannelCredentials(),
                                     arguments);
}

[[noreturn]] void fail(const std::string& what, const std::string& why) {
    // Its source may work again soon, so a watch must not give up.
    throw Error(grpc::Status(grpc::UNAVAILABLE, what + ": " + why));
}

std::string current(const TokenSource& source) {
    static const std::string what = "the token can't be had";
    std::string token;
    try {
        token = source();
    } catch (const std::exception& error) {
        fail(what, error.what());
    } catch (...) {
        fail(what, "its source threw what is no exception");
    }
    if (const auto* wrong = what_is_wrong_with(token)) fail(what, wrong);
    return token;
}

Metadata current(const MetadataHook& hook) {
    static const std::string what = "the hook for metadata failed";
    static const std::regex name_of_header("[a-z0-9_.-]+");
    Metadata metadata;
    try {
        metadata = hook();
    } catch (const std::exception& error) {
        fail(what, error.what());
    } catch (...) {
        fail(what, "it threw what is no exception");
    }
    for (const auto& [name, value] : metadata) {
        // gRPC aborts the process for any other.
        if (!std::regex_match(name, name_of_header) || name.starts_with("grpc-")) fail(what, "no name: " + name);
        if (!name.ends_with("-bin") && !is_printable(value)) fail(what, "no header can hold the value of " + name);
    }
    return metadata;
}

}  // namespace

Connection::Connection(const std::string& address, ConnectOptions options)
    : options_(std::move(options)), channel_(make_channel(address, options_)) {}

void Connection::prepare(grpc::ClientContext& context) const {
    if (const auto* text = std::get_if<std::string>(&options_.token)) {
        context.AddMetadata("authorization", "Bearer " + *text);
    } else if (const auto* source = std::get_if<TokenSource>(&options_.token)) {
        context.AddMetadata("authorization", "Bearer " + current(*source));
    }
    if (!options_.metadata) return;
    for (const auto& [name, value] : current(options_.metadata)) context.AddMetadata(name, value);
}

void Connection::hasten(const std::stop_token& stop) const {
    // gRPC makes progress with connecting while somebody waits for the channel, otherwise only
    // every 5 s. That wait can't be interrupted, so it is cut into slices.
    constexpr std::chrono::milliseconds slice{100};
    constexpr std::chrono::seconds wait_max{1};
    if (channel_->GetState(false) != GRPC_CHANNEL_TRANSIENT_FAILURE) return;
    grpc::experimental::ChannelResetConnectionBackoff(channel_.get());
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::min<Clock::duration>(wait_max, options_.connect_timeout);
    while (Clock::now() < end && !stop.stop_requested() && !closing().stop_requested() &&
           !channel_->WaitForStateChange(GRPC_CHANNEL_TRANSIENT_FAILURE, std::chrono::system_clock::now() + slice)) {
    }
}

}  // namespace wifidirect
