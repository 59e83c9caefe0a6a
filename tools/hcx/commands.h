// The commands of hcx. Each takes what follows its name and returns the exit code; UsageError is for main().
#pragma once

#include <string>
#include <vector>

namespace hc::hcx {

using Arguments = std::vector<std::string>;

int run_get(const Arguments& arguments);
int run_doctor(const Arguments& arguments);
int run_demo(const Arguments& arguments);

}  // namespace hc::hcx
