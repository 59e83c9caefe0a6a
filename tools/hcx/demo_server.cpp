#include "hcx/demo_server.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "hcx/abi.h"
#include "hcx/demo_plan.h"

namespace hc::hcx {

namespace {

using serve::Fd;

struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) serve::throw_errno("pipe2");
    reader = Fd(ends[0]);
    writer = Fd(ends[1]);
  }
  Fd reader;
  Fd writer;
};

std::vector<std::string> server_arguments() {
  std::vector<std::string> arguments{"hcx", "serve", "--exit-with-parent", "--dns", "127.0.0.1:0"};
  for (const std::string_view name : kOriginNames) {
    arguments.insert(arguments.end(), {"--http", "127.0.0.1:0"});
    arguments.insert(arguments.end(), {"--dns-name", std::string(name) + "=127.0.0.1@1"});
  }
  arguments.insert(arguments.end(), {"--dns-name", std::string(kMissingName) + "=nxdomain"});
  return arguments;
}

// The number behind `"name":`; 0 when it is not there.
std::uint64_t field(std::string_view json, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":";
  const std::size_t at = json.find(key);
  if (at == std::string_view::npos) return 0;
  std::uint64_t number = 0;
  std::from_chars(json.data() + at + key.size(), json.data() + json.size(), number);
  return number;
}

ServerCounters counters_in(std::string_view json) {
  return {field(json, "connections_accepted"), field(json, "connections_open"),
          field(json, "connections_peak"), field(json, "requests")};
}

ServerCount ask_once(hc_session* session, const std::string& url) {
  hc_request request = make_request();
  request.url = str(url);
  hc_response* response = nullptr;
  hc_error error = make_error();
  if (hc_session_perform(session, &request, &response, &error) != HC_OK) return {};
  const Response answer(response);
  return parse_count(std::string(view(hc_response_body(response))));
}

}  // namespace

DemoServer::DemoServer() {
  Pipe input;
  Pipe output;
  stdin_ = std::move(input.writer);
  start(std::move(input.reader), std::move(output.writer));
  read_endpoints(std::move(output.reader));
}

DemoServer::~DemoServer() {
  stdin_.reset();
  int status = 0;
  if (pid_ > 0) waitpid(pid_, &status, 0);
}

// In a process group of its own, so that Ctrl-C reaches only the demo, which then ends in order.
void DemoServer::start(Fd input, Fd output) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = server_arguments();
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int error = posix_spawn(&pid_, "/proc/self/exe", &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return;
  pid_ = -1;
  errno = error;
  serve::throw_errno("cannot start the server");
}

void DemoServer::read_endpoints(Fd from) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> lines(fdopen(from.release(), "r"), std::fclose);
  char line[256];
  while (lines && std::fgets(line, sizeof line, lines.get()) != nullptr) {
    std::string text = line;
    if (text.ends_with('\n')) text.pop_back();
    if (text == "ready" && ports_known_ == ports_.size() && !dns_.empty()) return;
    note_line(text);
  }
  throw std::runtime_error("the server did not start");
}

void DemoServer::note_line(const std::string& line) {
  if (line.starts_with("dns ")) dns_ = line.substr(4);
  if (!line.starts_with("http ") || ports_known_ == ports_.size()) return;
  const char* end = line.data() + line.size();
  std::from_chars(line.data() + line.rfind(':') + 1, end, ports_[ports_known_++]);
}

ServerCount parse_count(const std::string& json) {
  ServerCount count;
  const std::size_t listeners = json.find("\"listeners\":");
  if (listeners == std::string::npos) return count;
  std::string_view rest(json);
  count.all = counters_in(rest.substr(0, listeners));
  rest.remove_prefix(listeners);
  for (ServerCounters& origin : count.origins) {
    const std::size_t begin = rest.find('{');
    if (begin == std::string_view::npos) return count;
    const std::size_t end = std::min(rest.find('}', begin), rest.size());
    origin = counters_in(rest.substr(begin, end - begin));
    rest.remove_prefix(end);
  }
  count.is_known = true;
  return count;
}

ServerCount ask_server(const DemoServer& server) {
  // Half a minute, in which even on a busy machine a server sees that its clients have closed.
  constexpr std::uint64_t kQuestions = 1500;
  const Session session = create_session(make_session_options());
  const std::string url = "http://127.0.0.1:" + std::to_string(server.ports()[0]) + "/count";
  ServerCount count;
  for (std::uint64_t asked = 1; asked <= kQuestions; ++asked) {
    count = ask_once(session.get(), url);
    if (!count.is_known) return count;
    for (ServerCounters* counters : {&count.all, &count.origins[0]}) {
      counters->accepted -= 1;
      counters->open -= 1;
      counters->requests -= asked;
    }
    if (count.all.open == 0) break;
    std::this_thread::sleep_for(
        std::chrono::milliseconds(20));  // the server is another process: nothing to wait on
  }
  return count;
}

}  // namespace hc::hcx
