#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "wifidirect/options.h"
#include "wifidirect/pages.h"
#include "wifidirect/v1/device.pb.h"
#include "wifidirect/v1/device_service.pb.h"
#include "wifidirect/watch.h"

namespace wifidirect {

class Connection;

/// Which devices `watch` shows. Default: all, from now on.
struct WatchDevicesOptions {
    /// Resumes after this cursor of DeviceService. Default: starts now, with a snapshot.
    std::string cursor{};
    /// Only these devices. Default: all.
    std::vector<std::string> device_addresses{};
    /// How long the stream can be quiet before the host sends a Bookmark: 1 s to 5 min. Default: 10
    /// s.
    std::optional<std::chrono::milliseconds> bookmark_interval{};
    Backoff backoff{};
};

using DeviceSnapshot = Snapshot<v1::Device>;
using DeviceChange = Change<v1::DeviceEvent>;
using DeviceWatch = Watch<v1::Device, v1::DeviceEvent>;

/// Lists and watches the paired devices, and whether they are in range. See device_service.proto.
/// Thread-safe.
class Devices {
  public:
    explicit Devices(std::shared_ptr<Connection> connection);

    /// Lists the paired devices in the order of their addresses. The options apply to the call for
    /// each page.
    Pages<v1::Device> list(const CallOptions& call = {}) const;

    /// Watches the devices, like Sessions::watch.
    [[nodiscard]] DeviceWatch watch(const WatchDevicesOptions& options = {}, const std::stop_token& stop = {}) const;

    /// Searches for a paired device by radio; `is_visible` of the returned device is the result.
    /// The discovery takes 1 s to 2 min, by default 15 s. The default timeout of the call is 10 s
    /// longer.
    v1::UpdateDeviceVisibilityResponse update_visibility(
        const std::string& device_address, std::optional<std::chrono::milliseconds> discovery_timeout = {},
        const CallOptions& options = {}) const;

  private:
    std::shared_ptr<Connection> connection_;
};

}  // namespace wifidirect
