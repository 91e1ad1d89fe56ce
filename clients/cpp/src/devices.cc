#include "wifidirect/devices.h"

#include <utility>

#include "connection.h"
#include "durations.h"
#include "following.h"
#include "wifidirect/v1/device_service.grpc.pb.h"

namespace wifidirect {
namespace {

std::unique_ptr<v1::DeviceService::Stub> stub_of(const Connection& connection) {
    return v1::DeviceService::NewStub(connection.channel());
}

}  // namespace

Devices::Devices(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

Pages<v1::Device> Devices::list(const CallOptions& call) const {
    return Pages<v1::Device>([connection = connection_, call](const std::string& token) {
        v1::ListDevicesRequest request;
        request.set_page_token(token);
        auto page = unary<v1::ListDevicesResponse>(*connection, call, [&](auto* context, auto* response) {
            return stub_of(*connection)->ListDevices(context, request, response);
        });
        return Pages<v1::Device>::Page{moved(*page.mutable_devices()), page.next_page_token()};
    });
}

DeviceWatch Devices::watch(const WatchDevicesOptions& options, const std::stop_token& stop) const {
    v1::WatchDevicesRequest request;
    request.mutable_device_addresses()->Add(options.device_addresses.begin(), options.device_addresses.end());
    if (options.bookmark_interval) *request.mutable_bookmark_interval() = to_proto(*options.bookmark_interval);
    auto attach = [stub = std::shared_ptr(stub_of(*connection_)), request](
                      grpc::ClientContext* context, const std::string& cursor, grpc::CompletionQueue* queue,
                      void* tag) mutable {
        request.set_cursor(cursor);
        return stub->AsyncWatchDevices(context, request, queue, tag);
    };
    return DeviceWatch(std::make_unique<Following<v1::Device, v1::DeviceEvent, v1::WatchDevicesResponse>>(
        connection_, stop, options.bookmark_interval.value_or(bookmark_interval_default), std::move(attach),
        Watching<v1::Device, v1::DeviceEvent>(options.cursor, options.backoff)));
}

v1::UpdateDeviceVisibilityResponse Devices::update_visibility(
    const std::string& device_address, std::optional<std::chrono::milliseconds> discovery_timeout,
    const CallOptions& options) const {
    // The host's default, and how much longer than the discovery the answer can take.
    constexpr std::chrono::seconds discovery_timeout_default{15};
    constexpr std::chrono::seconds answer_timeout{10};
    v1::UpdateDeviceVisibilityRequest request;
    request.set_device_address(device_address);
    if (discovery_timeout) *request.mutable_timeout() = to_proto(*discovery_timeout);
    const auto timeout = discovery_timeout.value_or(discovery_timeout_default) + answer_timeout;
    return unary<v1::UpdateDeviceVisibilityResponse>(
        *connection_, options, timeout, [&](auto* context, auto* response) {
            return stub_of(*connection_)->UpdateDeviceVisibility(context, request, response);
        });
}

}  // namespace wifidirect
