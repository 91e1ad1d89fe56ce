package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.SessionState;
import java.util.Set;

/**
 * Which sessions a list returns. Start with {@link #ALL}; each {@code with} method returns new options.
 *
 * @param states only sessions in one of these states; empty means all states
 * @param deviceAddress only sessions to this device; empty means all devices
 * @param pageSize the number of sessions in one page, 1 to 1000; 0 means 50
 */
public record ListOptions(Set<SessionState> states, String deviceAddress, int pageSize) {
    /** Every session. */
    public static final ListOptions ALL = new ListOptions(Set.of(), "", 0);

    /**
     * Keeps a copy of the states.
     *
     * @param states only sessions in one of these states; none means all states
     * @param deviceAddress the P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @param pageSize 1 to 1000; 0 means 50
     */
    public ListOptions {
        states = Set.copyOf(states);
    }

    /**
     * Returns only sessions in these states.
     *
     * @param states only sessions in one of these states; none means all states
     * @return the new options
     */
    public ListOptions withStates(SessionState... states) {
        return new ListOptions(Set.of(states), deviceAddress, pageSize);
    }

    /**
     * Returns only sessions to this device.
     *
     * @param deviceAddress the P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @return the new options
     */
    public ListOptions withDeviceAddress(String deviceAddress) {
        return new ListOptions(states, deviceAddress, pageSize);
    }

    /**
     * Sets the number of sessions in one page.
     *
     * @param pageSize 1 to 1000; 0 means 50
     * @return the new options
     */
    public ListOptions withPageSize(int pageSize) {
        return new ListOptions(states, deviceAddress, pageSize);
    }
}
