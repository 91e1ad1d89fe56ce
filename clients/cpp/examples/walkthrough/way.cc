#include "way.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int check(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

void pipe_bytes(int from, int to) {
    std::array<char, 4096> bytes{};
    for (ssize_t count = 0; (count = recv(from, bytes.data(), bytes.size(), 0)) > 0;) {
        if (send(to, bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) != count) break;
    }
    shutdown(to, SHUT_RDWR);
}

}  // namespace

Way::Way(const std::string& host) : host_(host), listener_(check(socket(AF_INET, SOCK_STREAM, 0), "socket")) {
    const auto any_port = loopback(0);
    check(bind(listener_, reinterpret_cast<const sockaddr*>(&any_port), sizeof any_port), "bind");
    check(listen(listener_, SOMAXCONN), "listen");
    acceptor_ = std::jthread([this] { accept(); });
}

Way::~Way() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    cut();
    pipes_.clear();
    close(listener_);
    for (const int socket : sockets_) close(socket);
}

std::string Way::address() const {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    check(getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size), "getsockname");
    return "127.0.0.1:" + std::to_string(ntohs(own.sin_port));
}

void Way::accept() {
    for (int near = 0; (near = ::accept(listener_, nullptr, nullptr)) >= 0;) hand_on(near);
}

void Way::hand_on(int near) {
    const std::scoped_lock lock(mutex_);
    const int far = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
    const auto host = loopback(static_cast<std::uint16_t>(std::stoi(host_.substr(host_.rfind(':') + 1))));
    if (is_cut_ || connect(far, reinterpret_cast<const sockaddr*>(&host), sizeof host) < 0) {
        close(near);
        close(far);
        return;
    }
    // Closed at the very end, lest their numbers be another's meanwhile.
    sockets_.insert(sockets_.end(), {near, far});
    pipes_.emplace_back([near, far] { pipe_bytes(near, far); });
    pipes_.emplace_back([near, far] { pipe_bytes(far, near); });
}

void Way::cut() {
    const std::scoped_lock lock(mutex_);
    is_cut_ = true;
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
}

void Way::mend() {
    const std::scoped_lock lock(mutex_);
    is_cut_ = false;
}
