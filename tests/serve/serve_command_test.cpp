// The serve command as a child process: what it prints, and how it ends.
#include "serve/serve_command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <vector>

#include "serve/serve_options.h"
#include "test_client.h"

namespace hc::serve::test {
namespace {

// A forked child that runs the command; its stdout is a pipe.
class ServeProcess {
 public:
  /// With a pipe for stdin.
  explicit ServeProcess(const std::vector<std::string>& arguments) {
    std::array<int, 2> in{};
    EXPECT_EQ(pipe2(in.data(), O_CLOEXEC), 0);
    input_ = Fd(in[1]);
    start(arguments, Fd(in[0]));
  }
  /// None: a closed stdin.
  ServeProcess(const std::vector<std::string>& arguments, Fd input) { start(arguments, std::move(input)); }
  ~ServeProcess() {
    if (child_ > 0) wait();
  }

  std::string read_until_ready() {
    std::string text;
    char byte = 0;
    while (!text.ends_with("ready\n") && ::read(output_.get(), &byte, 1) == 1) text += byte;
    return text;
  }

  void close_stdin() { input_.reset(); }
  pid_t pid() const { return child_; }

  int wait() {
    close_stdin();
    int status = -1;
    waitpid(std::exchange(child_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int terminate() {
    kill(child_, SIGTERM);
    return wait();
  }

 private:
  void start(std::vector<std::string> arguments, Fd input) {
    std::array<int, 2> out{};
    EXPECT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
    arguments.insert(arguments.begin(), "serve");
    child_ = fork();
    if (child_ == 0) run(arguments, input.get(), out[1]);
    ::close(out[1]);
    output_ = Fd(out[0]);
  }

  [[noreturn]] void run(std::vector<std::string>& arguments, int input, int output) {
    if (input < 0) ::close(STDIN_FILENO);
    if (input >= 0) dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    _exit(run_serve_command(static_cast<int>(argv.size()), argv.data()));
  }

  pid_t child_ = -1;
  Fd input_;
  Fd output_;
};

// The port in the line that starts with `kind`.
std::uint16_t port_of(const std::string& output, const std::string& kind) {
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kind + " "))
      return static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  }
  return 0;
}

TEST(ServeCommand, PrintsItsPortsAndServesUntilStdinCloses) {
  ServeProcess process({"--http", "0", "--https=127.0.0.1:0", "--dns", "0", "--exit-with-parent"});
  const std::string output = process.read_until_ready();
  EXPECT_NE(port_of(output, "https"), 0) << output;
  EXPECT_NE(port_of(output, "dns"), 0) << output;
  EXPECT_NE(output.find("\nca /"), std::string::npos) << output;
  EXPECT_EQ(TestClient(port_of(output, "http")).get("/bytes/2").body, pattern(2));
  process.close_stdin();
  EXPECT_EQ(process.wait(), 0);
}

TEST(ServeCommand, EndsInOrderOnSigterm) {
  ServeProcess process({"--idle-timeout-ms", "1000"});
  const std::string output = process.read_until_ready();
  TestClient client(port_of(output, "http"));
  EXPECT_EQ(client.get("/bytes/2").status, 200);
  kill(process.pid(), SIGTERM);
  EXPECT_EQ(client.receive(), Outcome::kEnd);
  EXPECT_EQ(process.wait(), 0);
}

// What scripts give to background jobs (/dev/null), a file, and `<&-`.
TEST(ServeCommand, GoesOnWithoutAPipeForStdin) {
  for (const char* path : {"/dev/null", "/proc/self/exe", ""}) {
    ServeProcess process({}, *path != '\0' ? Fd(::open(path, O_RDONLY | O_CLOEXEC)) : Fd());
    const std::string output = process.read_until_ready();
    ASSERT_NE(port_of(output, "http"), 0) << path << output;
    // The time of the answer is time to end in.
    EXPECT_EQ(TestClient(port_of(output, "http")).get("/delay/50").body, "50\n") << path;
    EXPECT_EQ(process.terminate(), 0) << path;
  }
}

TEST(ServeCommand, LeavesWhatIsTypedAlone) {
  Fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal && ::unlockpt(terminal.get()) == 0);
  const Fd other_side(::ioctl(terminal.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(other_side);
  ServeProcess process({}, Fd(::fcntl(other_side.get(), F_DUPFD_CLOEXEC, 0)));
  const std::string output = process.read_until_ready();
  constexpr std::string_view kLineAndEnd = "key\n\x04";
  ASSERT_EQ(::write(terminal.get(), kLineAndEnd.data(), kLineAndEnd.size()), 5);
  EXPECT_EQ(TestClient(port_of(output, "http")).get("/delay/50").body, "50\n");
  pollfd typed{other_side.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&typed, 1, kMustFireMs), 1) << "it is still there for the shell";
  EXPECT_EQ(process.terminate(), 0);
}

TEST(ServeCommand, OptionsAreUnderstoodOrRefused) {
  std::array<std::string, 6> words{"serve",
                                   "--dns-name",
                                   "*.a.test=127.0.0.1,::1@5+20!tc/nxdomain",
                                   "--dns-name",
                                   "b.test=cname:a.test@9",
                                   "--dns=0"};
  std::array<char*, 6> argv{};
  std::transform(words.begin(), words.end(), argv.begin(), [](std::string& word) { return word.data(); });
  const ServeOptions options = parse_serve_options(6, argv.data());
  ASSERT_EQ(options.dns_scripts.size(), 2u);
  const DnsScript& script = options.dns_scripts[0];
  EXPECT_EQ(script.name, "*.a.test");
  ASSERT_EQ(script.replies.size(), 2u);
  ASSERT_EQ(script.replies[0].records.size(), 2u);
  EXPECT_EQ(script.replies[0].records[1].ttl, 5u);
  EXPECT_EQ(script.replies[0].delay.count(), 20);
  EXPECT_TRUE(script.replies[0].truncate_udp);
  EXPECT_EQ(script.replies[1].outcome, DnsReply::Outcome::kNxDomain);
  EXPECT_EQ(options.dns_scripts[1].replies[0].cname_ttl, 9u);
  words[1] = "--http";
  words[2] = "70000";
  argv[1] = words[1].data();
  argv[2] = words[2].data();
  EXPECT_THROW(parse_serve_options(3, argv.data()), std::invalid_argument);
  EXPECT_THROW(parse_serve_options(2, argv.data()), std::invalid_argument);
}

}  // namespace
}  // namespace hc::serve::test
