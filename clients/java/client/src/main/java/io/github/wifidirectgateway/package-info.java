/**
 * Client library of the Wi-Fi Direct Gateway: the Wi-Fi Direct sessions and devices of Windows hosts for programs
 * anywhere.
 *
 * <p>Everything starts at {@link io.github.wifidirectgateway.GatewayClient}. Calls block; streams are iterated over,
 * and the host sends no faster than they are read. What a host, or the way to it, is the cause of is a
 * {@link io.github.wifidirectgateway.GatewayException}. The messages are those of
 * {@code io.github.wifidirectgateway.v1}, whose comments are the manual of every field, event and reason.
 *
 * <p>An {@link io.grpc.Context} that is current when a call, a session's stream or a watch begins bounds it: its
 * cancellation and its deadline end it. So does the interruption of the thread that waits, as {@code CANCELLED}, with
 * the thread still marked as interrupted.
 */
package io.github.wifidirectgateway;
