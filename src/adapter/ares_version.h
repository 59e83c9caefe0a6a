#pragma once

#include <string>

namespace hc {

/// The c-ares that the process runs on: "1.18.1".
std::string ares_version_text();

}  // namespace hc
