#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "walk.h"
#include "way.h"

using std::chrono::milliseconds;
namespace v1 = wifidirect::v1;

namespace {

std::string open_and_close_unseen(const wifidirect::Client& client, const v1::Device& device) {
    auto session = client.sessions().open({.device_address = device.device_address()});
    session.wait_open();
    session.close();
    tell("", "meanwhile, a session came and went");
    return session.id();
}

/// Sees to it that what it is shown has no gap, and knows when it has seen the end of a session.
class Checked {
  public:
    bool is_end_of(const std::string& session_id, const v1::SessionEvent& event) {
        expect(last_ == 0 || event.sequence() == last_ + 1, "the events follow one another");
        last_ = event.sequence();
        return event.session().session_id() == session_id && event.session().state() == v1::SESSION_STATE_CLOSED;
    }

  private:
    std::uint64_t last_ = 0;
};

}  // namespace

void cut_watch(const wifidirect::Client& client, const std::string& address, const v1::Device& device) {
    Way way(address);
    const wifidirect::Client watcher(way.address());
    auto watch = watcher.sessions().watch({.backoff = {.initial = milliseconds{50}, .max = milliseconds{200}}});
    Checked checked;
    std::optional<std::string> missed;
    for (const auto& item : watch) {
        if (const auto* snapshot = std::get_if<wifidirect::SessionSnapshot>(&item)) {
            tell("snapshot", std::to_string(snapshot->items.size()) + " sessions");
            way.cut();
            missed = open_and_close_unseen(client, device);
        } else if (const auto* broken = std::get_if<wifidirect::Disconnected>(&item)) {
            if (!missed) throw broken->error;
            tell("disconnected", "again in " + std::to_string(broken->retry_in.count()) + " ms");
            way.mend();
        } else if (const auto* change = std::get_if<wifidirect::SessionChange>(&item)) {
            tell(name_of(change->event.type()));
            if (checked.is_end_of(missed.value_or(""), change->event)) return;
        }
    }
}
