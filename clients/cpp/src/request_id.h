#pragma once

#include <string>

namespace wifidirect {

/// A random UUID (RFC 9562, version 4).
std::string new_request_id();

}  // namespace wifidirect
