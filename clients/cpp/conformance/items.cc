#include "items.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

using nlohmann::json;
namespace v1 = wifidirect::v1;

namespace {

/// Without its prefix; the number in text where this version doesn't know the value.
template <typename Value>
std::string name_of(Value value, const std::string& name, std::string_view prefix) {
    if (name.empty()) return std::to_string(static_cast<int>(value));
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

json native_item(const v1::NativeResult* native) {
    if (native == nullptr) return nullptr;
    return {{"function", native->function()},
            {"code", native->code()},
            {"name", native->name()},
            {"reasonCode", native->reason_code()}};
}

json item_of(const wifidirect::SessionSnapshot& snapshot) {
    json sessions = json::array();
    for (const auto& session : snapshot.items) sessions.push_back(session_item(session));
    return {{"kind", "snapshot"}, {"sessions", sessions}, {"cursor", snapshot.cursor}};
}

json item_of(const wifidirect::SessionChange& change) {
    return {{"kind", "event"}, {"event", event_item(change.event)}, {"cursor", change.cursor}};
}

json item_of(const wifidirect::Bookmark& bookmark) { return {{"kind", "bookmark"}, {"cursor", bookmark.cursor}}; }

json item_of(const wifidirect::Disconnected& broken) {
    return {{"kind", "disconnected"}, {"error", error_item(broken.error)}, {"retryInMs", broken.retry_in.count()}};
}

}  // namespace

json watch_item(const wifidirect::SessionWatch::Item& item) {
    return std::visit([](const auto& one) { return item_of(one); }, item);
}

json session_at(const wifidirect::SessionAt& at) {
    return {{"session", session_item(at.session)}, {"cursor", at.cursor}};
}

json session_item(const v1::Session& session) {
    json item{{"id", session.session_id()},
              {"state", name_of(session.state(), v1::SessionState_Name(session.state()), "SESSION_STATE_")},
              {"owner", session.owner()}};
    if (session.has_end()) {
        item["reason"] =
            name_of(session.end().reason(), v1::SessionEndReason_Name(session.end().reason()), "SESSION_END_REASON_");
        item["evidence"] = name_of(session.end().evidence(), v1::DisconnectEvidence_Name(session.end().evidence()),
                                   "DISCONNECT_EVIDENCE_");
    }
    return item;
}

json event_item(const v1::SessionEvent& event) {
    return {{"type", name_of(event.type(), v1::SessionEventType_Name(event.type()), "SESSION_EVENT_TYPE_")},
            {"sequence", event.sequence()},
            {"session", session_item(event.session())},
            {"native", native_item(event.has_native_result() ? &event.native_result() : nullptr)}};
}

json device_item(const v1::Device& device) {
    json item{{"address", device.device_address()}, {"name", device.name()}};
    if (device.has_is_visible()) item["isVisible"] = device.is_visible();
    return {{"device", item}};
}

json host_item(const v1::GetHostResponse& host) {
    return {{"state", name_of(host.state(), v1::HostState_Name(host.state()), "HOST_STATE_")},
            {"driver", name_of(host.driver().kind(), v1::DriverKind_Name(host.driver().kind()), "DRIVER_KIND_")}};
}

json health_item(wifidirect::HealthStatus health) {
    constexpr std::array names{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
    return names.at(static_cast<std::size_t>(health));
}

json error_item(const wifidirect::Error& error) {
    json item{{"code", wifidirect::code_name(error.code())},
              {"message", error.what()},
              {"metadata", error.metadata()},
              {"native", native_item(error.native())},
              {"fields", json::array()}};
    if (!error.reason_name().empty()) item["reason"] = error.reason_name();
    if (const auto delay = error.retry_delay()) item["retryDelayMs"] = delay->count();
    for (const auto& violation : error.field_violations()) item["fields"].push_back(violation.field);
    return item;
}
