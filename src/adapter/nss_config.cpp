#include "adapter/nss_config.h"

#include <fstream>
#include <sstream>
#include <string_view>

namespace hc {
namespace {

// What we do ourselves: files and dns; myhostname knows localhost and this machine's own single-label name; the
// minimal mdns modules, common on desktops, know .local only. Single labels and .local have their own rules.
bool is_covered(std::string_view module) {
  for (std::string_view known :
       {"files", "dns", "myhostname", "mdns_minimal", "mdns4_minimal", "mdns6_minimal"}) {
    if (module == known) return true;
  }
  return false;
}

// Actions like "[NOTFOUND=return]" may hold spaces: "[ NOTFOUND = return ]".
std::string without_actions(std::string_view line) {
  std::string out;
  bool is_inside = false;
  for (char c : line) {
    if (c == '[') is_inside = true;
    out += is_inside ? ' ' : c;
    if (c == ']') is_inside = false;
  }
  return out;
}

bool names_other_source(std::string_view line) {
  std::istringstream words(without_actions(line.substr(0, line.find('#'))));
  std::string word;
  if (!(words >> word) || word != "hosts:") return false;
  while (words >> word) {
    if (!is_covered(word)) return true;
  }
  return false;
}

}  // namespace

bool NssConfig::has_other_sources(TimePoint now) {
  if (!file_.has_changed(now)) return has_other_sources_;
  has_other_sources_ = false;
  std::ifstream file(file_.path());
  for (std::string line; std::getline(file, line);) has_other_sources_ |= names_other_source(line);
  return has_other_sources_;
}

}  // namespace hc
