// The options of `hcx get`: their letters, and where each is kept. What they mean for the user: get_help.cpp.
#pragma once

#include "hcx/get_options.h"
#include "hcx/option_parser.h"

namespace hc::hcx {

/// In GetOptions.outputs until the URLs are known: -O. No file's name, as -o refuses an empty one.
inline constexpr std::string_view kNameOfUrl = "";

/// `parser` writes to `options` when it parses.
void add_request_options(OptionParser& parser, GetOptions& options);
void add_session_options(OptionParser& parser, GetOptions& options);
void add_route_options(OptionParser& parser, GetOptions& options);
void add_output_options(OptionParser& parser, GetOptions& options);

}  // namespace hc::hcx
