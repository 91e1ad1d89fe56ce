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

/// What `watch` shows; by default every device, from now.
struct WatchDevicesOptions {
    /// Of DeviceService: resume after it. Default: from now, after a snapshot.
    std::string cursor{};
    /// Only these. Default: all.
    std::vector<std::string> device_addresses{};
    /// How long a silence lasts before a Bookmark comes: 1 s to 5 min. Default: 10 s.
    std::optional<std::chrono::milliseconds> bookmark_interval{};
    Backoff backoff{};
};

using DeviceSnapshot = Snapshot<v1::Device>;
using DeviceChange = Change<v1::DeviceEvent>;
using DeviceWatch = Watch<v1::Device, v1::DeviceEvent>;

/// Tells which devices can be connected to, and whether they are in reach. See
/// device_service.proto. May be used by several threads at once.
class Devices {
  public:
    explicit Devices(std::shared_ptr<Connection> connection);

    /// Goes through the paired devices, by address. The options of the call are those of each page.
    Pages<v1::Device> list(const CallOptions& call = {}) const;

    /// Follows the devices, in the way of Sessions::watch.
    [[nodiscard]] DeviceWatch watch(const WatchDevicesOptions& options = {}, const std::stop_token& stop = {}) const;

    /// Looks for a paired device by radio: `is_visible` of the answer's device is what was found.
    /// The host waits for the discovery for 1 s to 2 min, by default 15 s; the call, by default,
    /// for 10 s more.
    v1::UpdateDeviceVisibilityResponse update_visibility(
        const std::string& device_address, std::optional<std::chrono::milliseconds> discovery_timeout = {},
        const CallOptions& options = {}) const;

  private:
    std::shared_ptr<Connection> connection_;
};

}  // namespace wifidirect
