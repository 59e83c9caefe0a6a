#include "adapter/hosts_file.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include "model/text.h"

namespace hc {
namespace {

// The next word of `line`, cut off its front; empty at the end.
std::string_view next_word(std::string_view* line) {
  constexpr std::string_view kSpace = " \t\r\v\f";
  size_t start = std::min(line->find_first_not_of(kSpace), line->size());
  size_t end = std::min(line->find_first_of(kSpace, start), line->size());
  std::string_view word = line->substr(start, end - start);
  line->remove_prefix(end);
  return word;
}

}  // namespace

std::vector<IpAddress> HostsFile::find(const std::string& host, Family family, TimePoint now) {
  if (file_.has_changed(now)) load();
  auto found = addresses_.find(host);
  if (found == addresses_.end()) return {};
  std::vector<IpAddress> chosen;
  for (const IpAddress& address : found->second) {
    if (family == Family::kAny || address.family == family) chosen.push_back(address);
  }
  return chosen;
}

void HostsFile::load() {
  std::ifstream file(file_.path());
  if (!file.is_open() && file_.is_there())
    return file_.look_again();  // no descriptor now: what was read stands
  addresses_.clear();
  for (std::string line; std::getline(file, line);) {
    add_line(std::string_view(line).substr(0, line.find('#')));
  }
}

void HostsFile::add_line(std::string_view line) {
  std::optional<IpAddress> address = IpAddress::parse(next_word(&line));
  if (!address) return;
  for (std::string_view name = next_word(&line); !name.empty(); name = next_word(&line)) {
    if (name.ends_with('.')) name.remove_suffix(1);
    std::vector<IpAddress>& known = addresses_[lower(name)];
    if (std::find(known.begin(), known.end(), *address) == known.end()) known.push_back(*address);
  }
}

}  // namespace hc
