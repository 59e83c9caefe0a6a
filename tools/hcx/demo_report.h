// The demo's table: 80 columns, for people.
#pragma once

#include <string>
#include <vector>

#include "hcx/demo_checks.h"
#include "hcx/demo_options.h"
#include "hcx/demo_run.h"
#include "hcx/terminal.h"

namespace hc::hcx {

std::string opening_text(const DemoOptions& options, const Style& style);
std::string report_text(const DemoOptions& options, const DemoResult& result, const Style& style);
std::string checks_text(const std::vector<Check>& checks, const Style& style);

}  // namespace hc::hcx
