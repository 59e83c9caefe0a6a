#include "hcx/option_parser.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

namespace hc::hcx {

void OptionParser::flag(std::string_view names, Flag apply) { add(names, {std::move(apply), {}}); }

void OptionParser::value(std::string_view names, Value apply) { add(names, {{}, std::move(apply)}); }

void OptionParser::add(std::string_view names, const Option& option) {
  std::istringstream words{std::string(names)};
  for (std::string name; words >> name;) options_[name] = option;
}

const OptionParser::Option& OptionParser::find(const std::string& name) const {
  const auto found = options_.find(name);
  if (found == options_.end()) throw UsageError("unknown option " + name);
  return found->second;
}

std::vector<std::string> OptionParser::parse(const std::vector<std::string>& arguments) const {
  std::vector<std::string> rest;
  const auto take = [&](const std::string& other) { others_ ? others_(other) : rest.push_back(other); };
  for (auto at = arguments.begin(); at != arguments.end();) {
    if (*at == "--") {
      std::for_each(at + 1, arguments.end(), take);
      break;
    }
    if (at->starts_with("--")) {
      at = parse_long(at, arguments.end());
    } else if (at->starts_with('-') && at->size() > 1) {
      at = parse_short(at, arguments.end());
    } else {
      take(*at++);
    }
  }
  return rest;
}

OptionParser::Position OptionParser::parse_long(Position at, Position end) const {
  const std::size_t equals = at->find('=');
  const std::string name = at->substr(0, equals);
  const Option& option = find(name);
  if (option.flag) {
    if (equals != std::string::npos) throw UsageError(name + " takes no value");
    option.flag();
    return at + 1;
  }
  if (equals != std::string::npos) {
    option.value(at->substr(equals + 1));
    return at + 1;
  }
  if (at + 1 == end) throw UsageError(name + " needs a value");
  option.value(*(at + 1));
  return at + 2;
}

OptionParser::Position OptionParser::parse_short(Position at, Position end) const {
  for (std::size_t i = 1; i < at->size(); ++i) {
    const std::string name{'-', (*at)[i]};
    const Option& option = find(name);
    if (option.flag) {
      option.flag();
      continue;
    }
    if (i + 1 < at->size()) {
      option.value(at->substr(i + 1));
      return at + 1;
    }
    if (at + 1 == end) throw UsageError(name + " needs a value");
    option.value(*(at + 1));
    return at + 2;
  }
  return at + 1;
}

std::uint64_t to_number(std::string_view text, std::string_view option, std::uint64_t least,
                        std::uint64_t most) {
  std::string digits(text);
  std::erase_if(digits, [](char c) { return c == ',' || c == '_'; });
  std::uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || stop != end || number < least || number > most) {
    throw UsageError(std::string(option) + ": '" + std::string(text) + "' is not a number from " +
                     std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

std::uint64_t to_milliseconds(std::string_view text, std::string_view option) {
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
  if (error != std::errc() || stop != end || !(seconds >= 0) || seconds > 1e8) {
    throw UsageError(std::string(option) + ": '" + std::string(text) + "' is not a number of seconds");
  }
  return static_cast<std::uint64_t>(std::ceil(seconds * 1000));
}

}  // namespace hc::hcx
