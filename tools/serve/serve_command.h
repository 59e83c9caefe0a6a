// The `hcx serve` command: HTTP, HTTPS and DNS test servers in the foreground.
#pragma once

namespace hc::serve {

/// Runs until SIGINT or SIGTERM, or until stdin closes if that is a pipe or a socket. argv[0] is the command's name;
/// `--help` describes the options.
/// Prints one line per listener ("http 127.0.0.1:PORT", "https ...", "dns ...", "ca PATH"), then "ready".
/// Returns the exit code: 0, 1 when a server could not start, 2 for wrong usage. Leaves the signal mask as it
/// was.
int run_serve_command(int argc, char** argv);

}  // namespace hc::serve
