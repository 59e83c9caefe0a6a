// Whether the demo's numbers add up.
#pragma once

#include <string>
#include <vector>

#include "hcx/demo_options.h"
#include "hcx/demo_run.h"
#include "hcx/demo_server.h"

namespace hc::hcx {

struct Check {
  bool holds = false;
  std::string text;
};

std::vector<Check> check_demo(const DemoOptions& options, const DemoResult& result,
                              const ServerCount& server);

}  // namespace hc::hcx
