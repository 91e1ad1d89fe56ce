#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

/// A way to a host that can be cut: what connects to it is handed on.
class Way {
  public:
    /// To "127.0.0.1:port" or "localhost:port".
    explicit Way(const std::string& host);
    Way(const Way&) = delete;
    Way& operator=(const Way&) = delete;
    ~Way();

    std::string address() const;
    /// Breaks what is connected, and refuses what would.
    void cut();
    void mend();

  private:
    void accept();
    void hand_on(int near);

    std::string host_;
    int listener_;
    std::mutex mutex_;
    bool is_cut_ = false;
    std::vector<int> sockets_;
    std::vector<std::jthread> pipes_;
    std::jthread acceptor_;
};
