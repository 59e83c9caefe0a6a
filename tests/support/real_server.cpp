#include "support/real_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "serve/temporary_directory.h"
#include "support/client.h"

namespace hc::test {
namespace {

sockaddr_in loopback_address(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool accepts(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback_address(port);
  bool is_up = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return is_up;
}

[[noreturn]] void become(std::vector<std::string>& command, const std::string& log_file, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(log, 1);
  dup2(log, 2);
  close_range(3, ~0U, 0);
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

ScratchDirectory::ScratchDirectory() : path_(serve::make_temporary_directory("libhc-test")) {}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;  // a server may write its last line just now
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchDirectory::write(std::string_view name, std::string_view text) const {
  std::ofstream(file(name), std::ios::binary) << text;
  return file(name);
}

std::string ScratchDirectory::read(std::string_view name) const {
  std::ostringstream text;
  text << std::ifstream(file(name), std::ios::binary).rdbuf();
  return text.str();
}

uint16_t free_port() {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);  // stays bound until the process ends
  int on = 1;
  sockaddr_in address = loopback_address(0);
  socklen_t length = sizeof address;
  bool is_bound = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                  bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  if (!is_bound) throw std::system_error(errno, std::generic_category(), "no free port");
  return ntohs(address.sin_port);
}

RealServer::RealServer(std::vector<std::string> command, uint16_t port, const std::string& log_file) {
  pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) become(command, log_file, parent);
  eventually([&] { return accepts(port) || !is_running(); });
  if (pid_ > 0 && accepts(port)) return;
  std::ostringstream log;
  log << std::ifstream(log_file).rdbuf();
  throw std::runtime_error(command[0] + " does not run (./run test installs it): " + log.str());
}

RealServer::~RealServer() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  if (!eventually([this] { return !is_running(); })) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

bool RealServer::is_running() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) != 0) pid_ = -1;
  return pid_ > 0;
}

std::vector<std::string> nginx_command(const ScratchDirectory& directory, std::string_view servers) {
  std::string text = "worker_processes 1;\ndaemon off;\npid nginx.pid;\nerror_log error.log;\n";
  if (geteuid() == 0) text += "user root;\n";  // the directory is ours alone
  text += "events { worker_connections 512; }\nhttp {\n  access_log off;\n  keepalive_timeout 600s;\n";
  for (const char* temp : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text += "  " + std::string(temp) + "_temp_path temp;\n";
  }
  text += std::string(servers) + "\n}\n";
  std::string file = directory.write("nginx.conf", text);
  const char* program = access("/usr/sbin/nginx", X_OK) == 0 ? "/usr/sbin/nginx" : "nginx";
  return {program, "-e", directory.file("error.log"), "-p", directory.path(), "-c", file};
}

}  // namespace hc::test
