package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.SessionState;
import java.util.Set;

/**
 * What a list shows. Begins with {@link #ALL}; each {@code with} answers with options of its own.
 *
 * @param states only sessions in one of these; empty: in any
 * @param deviceAddress only sessions to this device; empty: to any
 * @param pageSize how many to ask for at once, 1 to 1000; 0: 50
 */
public record ListOptions(Set<SessionState> states, String deviceAddress, int pageSize) {
    /** Every session. */
    public static final ListOptions ALL = new ListOptions(Set.of(), "", 0);

    /**
     * Keeps a copy of the states.
     *
     * @param states in one of which a session must be; none: in any
     * @param deviceAddress P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @param pageSize 1 to 1000; 0: 50
     */
    public ListOptions {
        states = Set.copyOf(states);
    }

    /**
     * Shows sessions in these states only.
     *
     * @param states in one of which a session must be; none: in any
     * @return options of their own
     */
    public ListOptions withStates(SessionState... states) {
        return new ListOptions(Set.of(states), deviceAddress, pageSize);
    }

    /**
     * Shows sessions to this device only.
     *
     * @param deviceAddress P2P device address of a paired device, {@code aa:bb:cc:dd:ee:ff}
     * @return options of their own
     */
    public ListOptions withDeviceAddress(String deviceAddress) {
        return new ListOptions(states, deviceAddress, pageSize);
    }

    /**
     * Says how many to ask for at once.
     *
     * @param pageSize 1 to 1000; 0: 50
     * @return options of their own
     */
    public ListOptions withPageSize(int pageSize) {
        return new ListOptions(states, deviceAddress, pageSize);
    }
}
