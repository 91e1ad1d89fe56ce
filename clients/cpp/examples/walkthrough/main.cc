/// A remote client's walk through the life of three sessions, and of a watch that is cut:
///
///     build/walkthrough HOST:PORT
///
/// It knows the host only by its address, and fails where something is not as the contract says.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

#include "walk.h"

namespace v1 = wifidirect::v1;
using wifidirect::Client;

namespace {

std::chrono::steady_clock::time_point started;

void chapter(int number, const std::string& title) {
    std::cout << '\n' << number << ". " << title << '\n';
    started = std::chrono::steady_clock::now();
}

struct Pair {
    v1::Device near;
    v1::Device far;
};

/// Lists the devices, and picks one that is in range and one that is not.
Pair introduce(const Client& client) {
    const auto host = client.host();
    const auto& driver = v1::DriverKind_Name(host.driver().kind());
    std::cout << "The host is " << host.hostname() << ", its driver " << driver.substr(driver.rfind('_') + 1)
              << ". Its paired devices:\n";
    std::optional<v1::Device> near;
    std::optional<v1::Device> far;
    for (const auto& device : client.devices().list()) {
        std::cout << "  " << device.device_address() << "  " << device.name() << '\n';
        if (!near && device.is_visible() && !device.is_legacy()) {
            near = device;
        } else if (!far && device.has_is_visible() && !device.is_visible()) {
            far = device;
        }
    }
    if (!near || !far) throw std::runtime_error("the host lacks the devices that this walk needs");
    return {*near, *far};
}

void open_and_close(const Client& client, const v1::Device& device) {
    auto session = client.sessions().open({.device_address = device.device_address()});
    const auto opened = session.wait_open();
    tell("OPEN", "interface " + opened.network_interface().guid());
    const auto closed = session.close();
    for (const auto& event : session) tell(name_of(event.type()));
    const auto evidence = closed.end().evidence();
    tell("", "evidence " + v1::DisconnectEvidence_Name(evidence).substr(sizeof "DISCONNECT_EVIDENCE_" - 1));
    expect(closed.state() == v1::SESSION_STATE_CLOSED && evidence != v1::DISCONNECT_EVIDENCE_UNCONFIRMED,
           "the end of the connection was seen");
}

void fail(const Client& client, const v1::Device& device) {
    auto session = client.sessions().open({.device_address = device.device_address()});
    try {
        for (const auto& event : session) tell(name_of(event.type()));
        throw std::runtime_error("not as promised: the open fails");
    } catch (const wifidirect::Error& failure) {
        expect(failure.native() != nullptr, "the failure has a native code");
        const auto& native = *failure.native();
        tell("", std::string(wifidirect::code_name(failure.code())) + ", " + failure.reason_name());
        tell("", native.function() + ": " + std::to_string(native.code()) + " " + native.name());
        tell("", "reason " + std::to_string(native.reason_code()) + ": " + native.reason_text());
        expect(failure.reason() == v1::ERROR_REASON_OPEN_FAILED, "the reason is OPEN_FAILED");
    }
}

void cancel_open(const Client& client, const v1::Device& device) {
    auto session = client.sessions().open({.device_address = device.device_address()});
    client.sessions().cancel(session.id());
    auto last = v1::SESSION_STATE_UNSPECIFIED;
    for (const auto& event : session) {
        last = event.session().state();
        tell(name_of(event.type()));
    }
    expect(last == v1::SESSION_STATE_CANCELLED, "a cancelled session ends CANCELLED");
}

void walk(const std::string& address) {
    const Client client(address);
    const auto [near, far] = introduce(client);
    chapter(1, "A session to " + near.name() + " opens, and is closed");
    open_and_close(client, near);
    chapter(2, "A session to " + far.name() + ", which is out of range, fails");
    fail(client, far);
    chapter(3, "A session to " + near.name() + " is cancelled while it opens");
    cancel_open(client, near);
    chapter(4, "A watch is cut off, misses a session, and resumes");
    cut_watch(client, address, near);
}

}  // namespace

void tell(const std::string& label, const std::string& text) {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - started;
    if (text.empty()) {
        std::printf("   +%.3f s  %s\n", since.count(), label.c_str());
    } else {
        std::printf("   +%.3f s  %-12s %s\n", since.count(), label.c_str(), text.c_str());
    }
}

void expect(bool is_so, const std::string& what) {
    if (!is_so) throw std::runtime_error("not as promised: " + what);
}

std::string name_of(v1::SessionEventType type) {
    return v1::SessionEventType_Name(type).substr(sizeof "SESSION_EVENT_TYPE_" - 1);
}

int main(int argc, char* argv[]) {
    if (argc != 2) {
        std::cerr << "Usage: walkthrough HOST:PORT\n";
        return 64;
    }
    try {
        walk(argv[1]);
    } catch (const std::exception& error) {
        std::cerr << "\nThe walk ended early: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
    std::cout << "\nok\n";
}
