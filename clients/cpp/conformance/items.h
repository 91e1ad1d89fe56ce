/// What the library gives, as JSON in the words of test/conformance/protocol.ts.
#pragma once

#include <nlohmann/json.hpp>

#include "wifidirect/client.h"

nlohmann::json watch_item(const wifidirect::SessionWatch::Item& item);
nlohmann::json session_at(const wifidirect::SessionAt& at);
nlohmann::json session_item(const wifidirect::v1::Session& session);
nlohmann::json event_item(const wifidirect::v1::SessionEvent& event);
nlohmann::json device_item(const wifidirect::v1::Device& device);
nlohmann::json host_item(const wifidirect::v1::GetHostResponse& host);
nlohmann::json health_item(wifidirect::HealthStatus health);
nlohmann::json error_item(const wifidirect::Error& error);
