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

/// By what gRPC makes of an address: no scheme in capitals, and no port behind an address without brackets.
bool is_this_machine(const std::string& address) {
    static const std::regex local(
        R"(unix:.*|((dns|ipv4|ipv6):(///)?)?((localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?|::1))");
    return std::regex_match(address, local);
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
    const bool is_local = is_this_machine(address);
    const bool is_secure = options.tls || (!is_local && !options.clear_text);
    if (!std::holds_alternative<std::monostate>(options.token) && !is_secure && !is_local) {
        // The rule that must not be broken: no credential leaves in clear text, but to this machine itself.
        refuse("the token would reach " + address + " in clear text; use TLS");
    }
    const Tls tls = options.tls.value_or(Tls{});
    grpc::ChannelArguments arguments;
    // A host that vanished without a word is noticed within 30 s: watches have no deadline that would tell.
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    // Calls fail at once while the channel waits to reconnect, so it must not wait longer than a watch does.
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 250);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 10'000);
    // However it is called, this is how long one attempt to connect may take.
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);
    if (is_local) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    if (!tls.server_name.empty()) arguments.SetSslTargetNameOverride(tls.server_name);
    if (options.configure) options.configure(arguments);
    return grpc::CreateCustomChannel(address, is_secure ? credentials_of(tls) : grpc::InsecureChannelCredentials(),
                                     arguments);
}

std::string current(const std::string& token) { return token; }

std::string current(const TokenSource& source) {
    try {
        return source();
    } catch (const std::exception& error) {
        // Whatever gives tokens may be back soon, so a watch is not to give up.
        throw Error(grpc::Status(grpc::UNAVAILABLE, std::string("the token can't be had: ") + error.what()));
    }
}

}  // namespace

Connection::Connection(const std::string& address, ConnectOptions options)
    : options_(std::move(options)), channel_(make_channel(address, options_)) {}

void Connection::prepare(grpc::ClientContext& context) const {
    std::string token;
    if (const auto* text = std::get_if<std::string>(&options_.token)) {
        token = current(*text);
    } else if (const auto* source = std::get_if<TokenSource>(&options_.token)) {
        token = current(*source);
    } else {
        return;
    }
    // gRPC ends the program at such a character, such as the end of the line of a file.
    if (!std::ranges::all_of(token, [](char c) { return c >= ' ' && c <= '~'; })) {
        throw Error(grpc::Status(grpc::INVALID_ARGUMENT, "token: it has a character that no header can hold"));
    }
    context.AddMetadata("authorization", "Bearer " + token);
}

}  // namespace wifidirect
