package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.Session;

/**
 * A session, and when it was so.
 *
 * @param session as it was
 * @param cursor at which it was so: a watch from there sees all that came after
 */
public record SessionAt(Session session, String cursor) {}
