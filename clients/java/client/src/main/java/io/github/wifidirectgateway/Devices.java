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

/** Tells which devices can be connected to, and whether they are in reach. See device_service.proto. */
public final class Devices {
    private static final Duration DISCOVERY_TIMEOUT_DEFAULT = Duration.ofSeconds(15);
    /** What the answer may take beyond the discovery. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);

    private final Connection connection;
    private final DeviceServiceGrpc.DeviceServiceBlockingStub stub;

    Devices(Connection connection) {
        this.connection = connection;
        stub = DeviceServiceGrpc.newBlockingStub(connection.channel());
    }

    /**
     * The paired devices, by address; each iteration asks for them anew, page by page as they are needed.
     *
     * @return the devices, to be iterated over as often as needed
     */
    public Iterable<Device> list() {
        return new Pages<>(token -> {
            var request = ListDevicesRequest.newBuilder().setPageToken(token).build();
            var response = connection.call(() -> stub.listDevices(request));
            return new Pages.Page<>(response.getDevicesList(), response.getNextPageToken());
        });
    }

    /**
     * Follows every device from now, see {@link #watch(WatchOptions)}.
     *
     * @return the watch, to be closed
     */
    public Watch<Device, DeviceEvent> watch() {
        return watch(WatchOptions.FROM_NOW);
    }

    /**
     * Follows devices in the way of {@link Sessions#watch(WatchOptions)}.
     *
     * @param options what to show, and from where
     * @return the watch, to be closed
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
     * Looks for a paired device by radio, for as long as the host says: 15 s.
     *
     * @param deviceAddress P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @return the device; whether it is visible is what was found
     */
    public UpdateDeviceVisibilityResponse updateVisibility(String deviceAddress) {
        return updateVisibility(deviceAddress, Duration.ZERO);
    }

    /**
     * Looks for a paired device by radio.
     *
     * @param deviceAddress P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @param discoveryTimeout how long the host waits for the discovery, 1 s to 2 min; 0: 15 s
     * @return the device; whether it is visible is what was found
     */
    public UpdateDeviceVisibilityResponse updateVisibility(String deviceAddress, Duration discoveryTimeout) {
        var request = UpdateDeviceVisibilityRequest.newBuilder().setDeviceAddress(deviceAddress);
        Durations.optional(discoveryTimeout).ifPresent(request::setTimeout);
        Duration discovery = discoveryTimeout.isZero() ? DISCOVERY_TIMEOUT_DEFAULT : discoveryTimeout;
        var patient = stub.withOption(Connection.TIMEOUT, discovery.plus(ANSWER_TIMEOUT));
        return connection.call(() -> patient.updateDeviceVisibility(request.build()));
    }
}
