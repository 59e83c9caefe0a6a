#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/ip_address.h"

namespace hc {

inline constexpr uint16_t kDnsPort = 53;

/// Reads the option `nameservers`: "127.0.0.1:5353,[::1]:53,::1", in the order in which they are asked. Anything
/// that is no address is HC_E_INVALID with a message that names the option.
Status parse_nameservers(std::string_view text, std::vector<Endpoint>* out);

/// "127.0.0.1, [::1]:5353": ports other than 53 are named.
std::string to_string(const std::vector<Endpoint>& nameservers);

}  // namespace hc
