#include "request_id.h"

#include <array>
#include <cstdio>
#include <random>

namespace wifidirect {

std::string new_request_id() {
    std::random_device random;
    const unsigned time_mid_version = (random() & 0xffff0fffU) | 0x4000U;
    const unsigned variant_and_node = (random() & 0x3fffffffU) | 0x80000000U;
    std::array<char, 37> text{};
    std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%04x%08x", random(), time_mid_version >> 16U,
                  time_mid_version & 0xffffU, variant_and_node >> 16U, variant_and_node & 0xffffU, random());
    return text.data();
}

}  // namespace wifidirect
