package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.Device;
import io.github.wifidirectgateway.v1.DeviceEvent;
import io.github.wifidirectgateway.v1.DeviceServiceGrpc;
import io.github.wifidirectgateway.v1.ListDevicesRequest;
import io.github.wifidirectgateway.v1.UpdateDeviceVisibilityRequest;
import io.github.wifidirectgateway.v1.UpdateDeviceVisibilityResponse;
import io.github.wifidirectgateway.v1.WatchDevicesRequest;
import io.github.wifidirectgateway.v1.WatchDevicesResponse;
import java.time.Duration;
import java.util.Iterator;

/** Lists and watches the paired devices, and whether they are in range. See device_service.proto. */
public final class Devices {
    private static final Duration DISCOVERY_TIMEOUT_DEFAULT = Duration.ofSeconds(15);
    /** How much longer than the discovery the answer can take. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);

    private final Connection connection;
    private final DeviceServiceGrpc.DeviceServiceBlockingStub stub;

    Devices(Connection connection) {
        this.connection = connection;
        stub = DeviceServiceGrpc.newBlockingStub(connection.channel());
    }

    /**
     * Lists the paired devices in the order of their addresses. Each iteration fetches them again, page by page as they
     * are read.
     *
     * @return the devices, which can be iterated over any number of times
     */
    public Iterable<Device> list() {
        return new Pages<>(token -> {
            var request = ListDevicesRequest.newBuilder().setPageToken(token).build();
            var response = connection.call(() -> stub.listDevices(request));
            return new Pages.Page<>(response.getDevicesList(), response.getNextPageToken());
        });
    }

    /**
     * Watches every device from now on. See {@link #watch(WatchOptions)}.
     *
     * @return the watch, which the caller must close
     */
    public Watch<Device, DeviceEvent> watch() {
        return watch(WatchOptions.FROM_NOW);
    }

    /**
     * Watches devices, like {@link Sessions#watch(WatchOptions)}.
     *
     * @param options what to show, and where to start
     * @return the watch, which the caller must close
     */
    public Watch<Device, DeviceEvent> watch(WatchOptions options) {
        return connection.watch(options, cursor -> {
            var request = WatchDevicesRequest.newBuilder().setCursor(cursor).addAllDeviceAddresses(options.names());
            Durations.optional(options.bookmarkInterval()).ifPresent(request::setBookmarkInterval);
            Iterator<WatchDevicesResponse> stream = stub.watchDevices(request.build());
            return () -> stream.hasNext() ? batch(stream.next()) : null;
        });
    }

    private static Watching.Batch<Device, DeviceEvent> batch(WatchDevicesResponse response) {
        return new Watching.Batch<>(
                response.getSnapshotList(),
                response.getSnapshotComplete(),
                response.getEventsList(),
                response.getCursor());
    }

    /**
     * Searches for a paired device by radio, for the host's default of 15 s.
     *
     * @param deviceAddress the P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @return the device, whose {@code is_visible} is the result
     */
    public UpdateDeviceVisibilityResponse updateVisibility(String deviceAddress) {
        return updateVisibility(deviceAddress, Duration.ZERO);
    }

    /**
     * Searches for a paired device by radio.
     *
     * @param deviceAddress the P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @param discoveryTimeout how long the discovery takes, 1 s to 2 min; 0 means 15 s
     * @return the device, whose {@code is_visible} is the result
     */
    public UpdateDeviceVisibilityResponse updateVisibility(String deviceAddress, Duration discoveryTimeout) {
        var request = UpdateDeviceVisibilityRequest.newBuilder().setDeviceAddress(deviceAddress);
        Durations.optional(discoveryTimeout).ifPresent(request::setTimeout);
        Duration discovery = discoveryTimeout.isZero() ? DISCOVERY_TIMEOUT_DEFAULT : discoveryTimeout;
        var patient = stub.withOption(Connection.TIMEOUT, discovery.plus(ANSWER_TIMEOUT));
        return connection.call(() -> patient.updateDeviceVisibility(request.build()));
    }
}
