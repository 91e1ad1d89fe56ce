#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "host.h"
#include "wifidirect/v1/device_service.grpc.pb.h"

using namespace std::chrono_literals;
using testing::ElementsAre;
using wifidirect::Client;
namespace v1 = wifidirect::v1;

namespace {

/// A host of two devices, on two pages, of which one vanishes.
class HostOfDevices : public v1::DeviceService::Service {
  public:
    std::optional<v1::UpdateDeviceVisibilityRequest> looked_for;
    std::chrono::system_clock::time_point deadline;

    grpc::Status ListDevices(grpc::ServerContext* /*context*/, const v1::ListDevicesRequest* request,
                             v1::ListDevicesResponse* response) override {
        const bool is_first = request->page_token().empty();
        response->add_devices()->set_name(is_first ? "display" : "scanner");
        if (is_first) response->set_next_page_token("second");
        return grpc::Status::OK;
    }

    grpc::Status WatchDevices(grpc::ServerContext* context, const v1::WatchDevicesRequest* request,
                              grpc::ServerWriter<v1::WatchDevicesResponse>* writer) override {
        v1::WatchDevicesResponse snapshot;
        snapshot.set_cursor("c1");
        snapshot.set_snapshot_complete(true);
        for (const auto& address : request->device_addresses()) snapshot.add_snapshot()->set_device_address(address);
        writer->Write(snapshot);
        v1::WatchDevicesResponse change;
        change.set_cursor("c2");
        change.add_events()->set_type(v1::DEVICE_EVENT_TYPE_REMOVED);
        writer->Write(change);
        wait_until_cancelled(*context);
        return grpc::Status::CANCELLED;
    }

    grpc::Status UpdateDeviceVisibility(grpc::ServerContext* context, const v1::UpdateDeviceVisibilityRequest* request,
                                        v1::UpdateDeviceVisibilityResponse* response) override {
        looked_for = *request;
        deadline = context->deadline();
        response->mutable_device()->set_is_visible(true);
        return grpc::Status::OK;
    }
};

}  // namespace

TEST(Devices, AreListedPageByPage) {
    HostOfDevices host;
    const Serving serving(host);
    const Client client(serving.address());
    std::vector<std::string> names;
    for (const auto& device : client.devices().list()) names.push_back(device.name());
    EXPECT_THAT(names, ElementsAre("display", "scanner"));
}

TEST(Devices, AreWatched) {
    HostOfDevices host;
    const Serving serving(host);
    const Client client(serving.address());
    auto watch = client.devices().watch({.device_addresses = {"02:11:22:33:44:01"}});
    const auto snapshot = std::get<wifidirect::DeviceSnapshot>(watch.next().value());
    ASSERT_EQ(snapshot.items.size(), 1U);
    EXPECT_EQ(snapshot.items[0].device_address(), "02:11:22:33:44:01");
    const auto change = std::get<wifidirect::DeviceChange>(watch.next().value());
    EXPECT_EQ(change.event.type(), v1::DEVICE_EVENT_TYPE_REMOVED);
    EXPECT_EQ(change.cursor, "c2");
}

TEST(Devices, AreLookedForWithTimeForTheAnswer) {
    HostOfDevices host;
    const Serving serving(host);
    const Client client(serving.address());
    const auto left = [&] { return host.deadline - std::chrono::system_clock::now(); };
    EXPECT_TRUE(client.devices().update_visibility("02:11:22:33:44:01").device().is_visible());
    EXPECT_FALSE(host.looked_for->has_timeout());
    // gRPC rounds it up on its way.
    EXPECT_LE(left(), 26s);
    EXPECT_GE(left(), 20s);
    client.devices().update_visibility("02:11:22:33:44:01", 1min);
    EXPECT_EQ(host.looked_for->timeout().seconds(), 60);
    EXPECT_GE(left(), 65s);
}
