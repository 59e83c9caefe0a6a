#include "serve/serve_command.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>

#include "serve/net.h"
#include "serve/serve_options.h"

namespace hc::serve {

namespace {

// Blocks the ending signals and delivers them through a descriptor; the mask comes back with the destructor.
class EndingSignals {
 public:
  EndingSignals() {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, &before_);
    fd_ = Fd(signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) throw_errno("signalfd");
  }
  ~EndingSignals() {
    // A signal still pending would kill the caller as soon as it is unblocked.
    signalfd_siginfo info;
    while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  EndingSignals(const EndingSignals&) = delete;
  EndingSignals& operator=(const EndingSignals&) = delete;
  int fd() const { return fd_.get(); }

 private:
  sigset_t before_;
  Fd fd_;
};

// False: the parent is gone already.
bool follow_parent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  return getppid() == parent;
}

// Only a pipe or a socket has somebody at its other end whose end is ours. A terminal is not read: that would stop a
// background job (SIGTTIN). /dev/null, which scripts give to theirs, and files are at their end from the start; and a
// closed stdin becomes whatever is opened first, so ask before that.
bool stdin_has_another_end() {
  struct stat status {};
  return ::fstat(STDIN_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

bool stdin_has_ended() {
  std::array<char, 512> ignored;
  const ssize_t count = ::read(STDIN_FILENO, ignored.data(), ignored.size());
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

// `input` -1: only signals end it.
void wait_for_end(int signals, int input) {
  std::array<pollfd, 2> watched{{{signals, POLLIN, 0}, {input, POLLIN, 0}}};
  while (true) {
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) throw_errno("poll");
    if (watched[0].revents != 0) return;
    if (watched[1].revents != 0 && stdin_has_ended()) return;
  }
}

ListenerOptions plain_listener(const Endpoint& endpoint, const ServeOptions& options) {
  ListenerOptions listener;
  listener.address = endpoint.address;
  listener.port = endpoint.port;
  listener.backlog = options.backlog;
  return listener;
}

TlsOptions tls_options(const TestPki& pki, const ServeOptions& options) {
  TlsOptions tls;
  tls.certificate_pem = pki.server().certificate_pem;
  tls.private_key_pem = pki.server().private_key_pem;
  tls.session_tickets = options.session_tickets;
  if (!options.require_client_certificate) return tls;
  tls.client_ca_pem = pki.ca().certificate_pem;
  tls.require_client_certificate = true;
  return tls;
}

HttpServerOptions server_options(const ServeOptions& options, const TestPki* pki) {
  HttpServerOptions server = options.server;
  server.listeners.clear();
  for (const auto& endpoint : options.http) server.listeners.push_back(plain_listener(endpoint, options));
  for (const auto& endpoint : options.https) {
    ListenerOptions listener = plain_listener(endpoint, options);
    listener.tls = tls_options(*pki, options);
    server.listeners.push_back(std::move(listener));
  }
  return server;
}

void print_listener(const char* kind, const std::string& endpoint) {
  std::printf("%s %s\n", kind, endpoint.c_str());
}

void serve(const ServeOptions& options, int signals, int input) {
  const auto pki = options.https.empty() ? nullptr : std::make_unique<TestPki>(options.pki);
  const HttpServerOptions http_options = server_options(options, pki.get());
  HttpServer http(http_options);
  if (!http_options.listeners.empty()) http.start();
  const Endpoint dns_endpoint = options.dns.empty() ? Endpoint{"127.0.0.1", 0} : options.dns.front();
  DnsServer dns({.address = dns_endpoint.address, .port = dns_endpoint.port});
  for (const auto& script : options.dns_scripts) dns.script(script.name, script.replies);
  if (!options.dns.empty()) dns.start();

  for (std::size_t i = 0; i < http_options.listeners.size(); ++i) {
    const ListenerOptions& listener = http_options.listeners[i];
    print_listener(listener.tls ? "https" : "http", endpoint_text(listener.address, http.port(i)));
  }
  if (!options.dns.empty()) print_listener("dns", dns.endpoint());
  if (pki) print_listener("ca", pki->ca().certificate_path);
  std::puts("ready");
  std::fflush(stdout);
  wait_for_end(signals, input);
}

}  // namespace

int run_serve_command(int argc, char** argv) {
  const pid_t parent = getppid();
  try {
    const ServeOptions options = parse_serve_options(argc, argv);
    if (options.help) {
      std::fwrite(serve_help().data(), 1, serve_help().size(), stdout);
      return 0;
    }
    const int input = !options.ignore_stdin && stdin_has_another_end() ? STDIN_FILENO : -1;
    const EndingSignals signals;
    if (options.exit_with_parent && !follow_parent(parent)) return 0;
    serve(options, signals.fd(), input);
    return 0;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "hcx serve: %s (hcx serve --help tells what there is)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hcx serve: %s\n", error.what());
    return 1;
  }
}

}  // namespace hc::serve
