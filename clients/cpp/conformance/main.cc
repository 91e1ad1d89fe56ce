/// Does through the library what lines of JSON on the standard input say, for the tests of all
/// clients. The words are those of test/conformance/protocol.ts.
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "items.h"

using nlohmann::json;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using wifidirect::Client;

namespace {

void write(const json& line) {
    static std::mutex mutex;
    const std::scoped_lock lock(mutex);
    std::cout << line << std::endl;
}

void tell(const json& command, json item) { write({{"id", command.at("id")}, {"item", std::move(item)}}); }

std::string text(const json& command, const char* name) { return command.value(name, ""); }

std::optional<milliseconds> time(const json& command, const char* name) {
    if (!command.contains(name)) return std::nullopt;
    return milliseconds{command.at(name)};
}

std::shared_ptr<Client> connect(const json& command) {
    wifidirect::ConnectOptions options;
    if (command.contains("caFile") || command.contains("certFile") || command.contains("keyFile")) {
        options.tls =
            wifidirect::load_tls(text(command, "caFile"), text(command, "certFile"), text(command, "keyFile"));
    }
    if (command.contains("token")) options.token = text(command, "token");
    if (command.value("tokenFails", false)) {
        options.token =
            wifidirect::TokenSource([]() -> std::string { throw std::runtime_error("the vault is sealed"); });
    }
    options.timeout = time(command, "timeoutMs").value_or(options.timeout);
    options.connect_timeout = time(command, "connectTimeoutMs").value_or(options.connect_timeout);
    if (command.contains("metadata")) {
        const auto given = command.at("metadata").get<std::map<std::string, std::string>>();
        options.metadata = [given] { return wifidirect::Metadata(given.begin(), given.end()); };
    }
    return std::make_shared<Client>(text(command, "address"), options);
}

void open(const Client& client, const json& command, const std::stop_token& stop) {
    auto session = client.sessions().open({.device_address = text(command, "deviceAddress"),
                                           .session_id = text(command, "sessionId"),
                                           .open_timeout = time(command, "openTimeoutMs"),
                                           .lease_ttl = time(command, "leaseTtlMs"),
                                           .request_id = text(command, "requestId"),
                                           .heartbeat_interval = time(command, "heartbeatIntervalMs").value_or(10s)},
                                          stop);
    for (const auto& event : session) tell(command, {{"event", event_item(event)}});
}

void watch(const Client& client, const json& command, const std::stop_token& stop) {
    auto items = client.sessions().watch({.cursor = text(command, "cursor"),
                                          .session_ids = command.value("sessionIds", std::vector<std::string>{}),
                                          .bookmark_interval = time(command, "bookmarkIntervalMs"),
                                          .backoff = {.initial = time(command, "backoffInitialMs").value_or(20ms),
                                                      .max = time(command, "backoffMaxMs").value_or(100ms)}},
                                         stop);
    for (const auto& item : items) tell(command, watch_item(item));
}

void list(const Client& client, const json& command) {
    if (command.at("do") == "devices") {
        for (const auto& device : client.devices().list()) tell(command, device_item(device));
    } else {
        for (const auto& session : client.sessions().list()) tell(command, {{"session", session_item(session)}});
    }
}

json answer(const Client& client, const json& command) {
    const auto what = text(command, "do");
    const auto id = text(command, "sessionId");
    const auto& sessions = client.sessions();
    if (what == "get") return session_at(sessions.get(id));
    if (what == "cancel") return session_at(sessions.cancel(id));
    if (what == "renew") return session_at(sessions.renew(id, time(command, "leaseTtlMs")));
    if (what == "close") {
        return session_at(command.value("wait", false) ? sessions.close_and_wait(id) : sessions.close(id));
    }
    if (what == "find") return device_item(client.devices().update_visibility(text(command, "deviceAddress")).device());
    return {{"host", host_item(client.host())}, {"health", health_item(client.health())}};
}

void carry_out(const Client& client, const json& command, const std::stop_token& stop) {
    const auto what = text(command, "do");
    if (what == "open") {
        open(client, command, stop);
    } else if (what == "watch") {
        watch(client, command, stop);
    } else if (what == "devices" || what == "sessions") {
        list(client, command);
    } else {
        tell(command, answer(client, command));
    }
}

/// Runs what a command says, and tells its end.
template <typename Work>
void to_its_end(const json& command, Work work) {
    json end = json::object();
    try {
        work();
    } catch (const wifidirect::Error& error) {
        end["error"] = error_item(error);
    } catch (const std::exception& error) {
        end["error"] = {{"code", "NOT_TYPED"}, {"reason", error.what()}};
    }
    write({{"id", command.at("id")}, {"end", end}});
}

void obey() {
    std::shared_ptr<Client> client;
    std::map<int, std::jthread> running;
    for (std::string line; std::getline(std::cin, line);) {
        const json command = json::parse(line);
        const auto what = text(command, "do");
        if (what == "connect") {
            to_its_end(command, [&] {
                if (client) client->close();
                client = connect(command);
            });
        } else if (what == "leave") {
            to_its_end(command, [&] { running.at(command.at("command")).request_stop(); });
        } else {
            running[command.at("id")] = std::jthread([client, command](const std::stop_token& stop) {
                to_its_end(command, [&] { carry_out(*client, command, stop); });
            });
        }
    }
    if (client) client->close();
}

}  // namespace

int main() {
    try {
        obey();
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
