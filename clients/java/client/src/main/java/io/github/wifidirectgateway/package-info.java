/**
 * The client library of the Wi-Fi Direct Gateway, for programs that use the Wi-Fi Direct sessions and devices of remote
 * Windows hosts.
 *
 * <p>Start with {@link io.github.wifidirectgateway.GatewayClient}. Calls block. Streams are iterated over, and the host
 * sends no faster than they are read. Failures of the host or of the connection are a
 * {@link io.github.wifidirectgateway.GatewayException}. The messages are those of
 * {@code io.github.wifidirectgateway.v1}, whose comments describe every field, event and reason.
 *
 * <p>The cancellation and the deadline of the {@link io.grpc.Context} in which a call, a session's stream or a watch
 * begins also end it. If the waiting thread is interrupted, the call fails with {@code CANCELLED}, and the thread stays
 * interrupted.
 */
package io.github.wifidirectgateway;
