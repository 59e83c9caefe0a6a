// DnsServer's answers, read from the wire.
#include "serve/dns_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/no_descriptors.h"
#include "test_client.h"

namespace hc::serve::test {
namespace {

using std::chrono::milliseconds;

constexpr int kMustNotFireMs = 30;  // spent whenever a test expects silence, hence short

struct Answer {
  int rcode = -1;
  bool truncated = false;
  std::string question_name;
  std::vector<std::string> records;  // "A 1.2.3.4 60", "CNAME x.test 60"
};

unsigned number16(const std::string& bytes, std::size_t at) {
  return static_cast<unsigned>(static_cast<unsigned char>(bytes.at(at)) << 8 |
                               static_cast<unsigned char>(bytes.at(at + 1)));
}

void put16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

std::string make_query(const std::string& name, DnsType type, unsigned edns_size) {
  std::string out;
  for (const unsigned field : {0x1234u, 0x0100u, 1u, 0u, 0u, edns_size > 0 ? 1u : 0u}) put16(out, field);
  std::size_t start = 0;
  while (start < name.size()) {
    const std::size_t end = std::min(name.find('.', start), name.size());
    out += static_cast<char>(end - start);
    out += name.substr(start, end - start);
    start = end + 1;
  }
  out += '\0';
  put16(out, static_cast<unsigned>(type));
  put16(out, 1);
  if (edns_size == 0) return out;
  out += '\0';
  for (const unsigned field : {41u, edns_size, 0u, 0u, 0u}) put16(out, field);
  return out;
}

std::string read_name(const std::string& message, std::size_t& at) {
  std::string name;
  while (const unsigned length = static_cast<unsigned char>(message.at(at++))) {
    if (length >= 0xc0) {
      std::size_t target = (length & 0x3f) << 8 | static_cast<unsigned char>(message.at(at++));
      return name + read_name(message, target);
    }
    name += message.substr(at, length) + ".";
    at += length;
  }
  return name;
}

std::string record_value(const std::string& message, std::size_t at, unsigned type, std::size_t length) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (type == 5) return "CNAME " + read_name(message, at);
  inet_ntop(length == 4 ? AF_INET : AF_INET6, message.data() + at, text.data(), text.size());
  return (type == 1 ? "A " : "AAAA ") + std::string(text.data());
}

Answer read_answer(const std::string& message) {
  Answer answer;
  EXPECT_EQ(number16(message, 0), 0x1234u);
  answer.rcode = static_cast<int>(number16(message, 2) & 15);
  answer.truncated = (number16(message, 2) & 0x200) != 0;
  std::size_t at = 12;
  answer.question_name = read_name(message, at);
  at += 4;
  for (unsigned left = number16(message, 6); left > 0; --left) {
    read_name(message, at);
    const unsigned type = number16(message, at);
    const unsigned ttl = number16(message, at + 4) << 16 | number16(message, at + 6);
    const std::size_t length = number16(message, at + 8);
    answer.records.push_back(record_value(message, at + 10, type, length) + " " + std::to_string(ttl));
    at += 10 + length;
  }
  return answer;
}

class DnsServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dns_.start();
    socket_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    SocketAddress target = SocketAddress::parse("127.0.0.1", dns_.port());
    ASSERT_EQ(::connect(socket_.get(), target.get(), target.length), 0);
  }

  void send(const std::string& name, DnsType type = DnsType::kA, unsigned edns_size = 0) {
    const std::string query = make_query(name, type, edns_size);
    ::send(socket_.get(), query.data(), query.size(), 0);
  }

  std::optional<Answer> receive(int timeout_ms = kMustFireMs) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, timeout_ms) <= 0) return std::nullopt;
    std::string buffer(8192, '\0');
    buffer.resize(static_cast<std::size_t>(::recv(socket_.get(), buffer.data(), buffer.size(), 0)));
    return read_answer(buffer);
  }

  Answer ask(const std::string& name, DnsType type = DnsType::kA, unsigned edns_size = 0) {
    send(name, type, edns_size);
    return receive().value_or(Answer{});
  }

  Answer ask_over_tcp(const std::string& name, DnsType type = DnsType::kA) {
    const Fd socket = connect_to(dns_.port());
    const std::string query = make_query(name, type, 0);
    std::string framed;
    put16(framed, static_cast<unsigned>(query.size()));
    framed += query;
    // In two pieces: the length may arrive alone.
    ::send(socket.get(), framed.data(), 2, MSG_NOSIGNAL);
    ::send(socket.get(), framed.data() + 2, framed.size() - 2, MSG_NOSIGNAL);
    std::string buffer(8192, '\0');
    std::size_t size = 0;
    while (size < 2 || size < number16(buffer, 0) + 2) {
      const ssize_t count = ::recv(socket.get(), buffer.data() + size, buffer.size() - size, 0);
      if (count <= 0) return {};
      size += static_cast<std::size_t>(count);
    }
    return read_answer(buffer.substr(2, size - 2));
  }

  DnsServer dns_;
  Fd socket_;
};

using Records = std::vector<std::string>;

TEST_F(DnsServerTest, AnswersByFamilyWithTtlsAndKeepsTheCaseOfTheQuestion) {
  dns_.script("App.Test", {DnsReply::with_records({{"127.0.0.1", 5}, {"::1", 7}, {"127.0.0.2", 9}})});
  EXPECT_EQ(ask("app.test").records, (Records{"A 127.0.0.1 5", "A 127.0.0.2 9"}));
  const Answer six = ask("aPP.tEST", DnsType::kAaaa);
  EXPECT_EQ(six.records, (Records{"AAAA ::1 7"}));
  EXPECT_EQ(six.question_name, "aPP.tEST.");
  EXPECT_EQ(dns_.count("app.test", DnsType::kA), 1u);
  EXPECT_EQ(dns_.count("app.test."), 2u);
  EXPECT_EQ(dns_.total(), 2u);
}

TEST_F(DnsServerTest, FailuresAndEmptyAnswersHaveTheirCodes) {
  dns_.script("servfail.test", {DnsReply::servfail()});
  dns_.script("refused.test", {DnsReply::refused()});
  dns_.script("four.test", {DnsReply::addresses({"127.0.0.1"})});
  dns_.script("six.test", DnsType::kAaaa, {DnsReply::addresses({"::1"})});
  EXPECT_EQ(ask("nowhere.test").rcode, 3);
  EXPECT_EQ(ask("servfail.test").rcode, 2);
  EXPECT_EQ(ask("refused.test").rcode, 5);
  EXPECT_EQ(ask("four.test", DnsType::kAaaa).rcode, 0);
  EXPECT_TRUE(ask("four.test", DnsType::kAaaa).records.empty());
  EXPECT_EQ(ask("six.test").rcode, 0);
  dns_.forget("four.test");
  EXPECT_EQ(ask("four.test").rcode, 3);
  dns_.set_default(DnsReply::addresses({"127.0.0.99"}));
  EXPECT_EQ(ask("anything").records, (Records{"A 127.0.0.99 60"}));
  EXPECT_THROW(dns_.script("x", {DnsReply::addresses({"not.an.address"})}), std::invalid_argument);
}

TEST_F(DnsServerTest, RepliesAreUsedUpPerTypeAndTheLastRepeats) {
  dns_.script("flaky.test", {DnsReply::servfail(), DnsReply::addresses({"127.0.0.1", "::1"})});
  EXPECT_EQ(ask("flaky.test").rcode, 2);
  EXPECT_EQ(ask("flaky.test").rcode, 0);
  EXPECT_EQ(ask("flaky.test").rcode, 0);
  EXPECT_EQ(ask("flaky.test", DnsType::kAaaa).rcode, 2);
  EXPECT_EQ(ask("flaky.test", DnsType::kAaaa).rcode, 0);
}

TEST_F(DnsServerTest, AliasesAndWildcardsAreFollowed) {
  dns_.script("*.wild.test", {DnsReply::alias("target.test", 3)});
  dns_.script("*.deep.wild.test", {DnsReply::addresses({"127.0.0.3"})});
  dns_.script("target.test", {DnsReply::addresses({"127.0.0.2"}, 4)});
  dns_.script("loop.test", {DnsReply::alias("loop.test")});
  EXPECT_EQ(ask("a.b.wild.test").records, (Records{"CNAME target.test. 3", "A 127.0.0.2 4"}));
  EXPECT_EQ(ask("x.deep.wild.test").records, (Records{"A 127.0.0.3 60"}));
  EXPECT_EQ(ask("wild.test").rcode, 3);
  EXPECT_EQ(ask("loop.test").rcode, 2);
}

TEST_F(DnsServerTest, LargeOrTruncatedAnswersComeOverTcp) {
  std::vector<std::string> many;
  for (int i = 1; i <= 45; ++i) many.push_back("127.0.1." + std::to_string(i));
  dns_.script("many.test", {DnsReply::addresses(many)});
  dns_.script("cut.test", {DnsReply::addresses({"127.0.0.1"}).truncated()});
  const Answer small = ask("many.test");
  EXPECT_TRUE(small.truncated);
  EXPECT_TRUE(small.records.empty());
  EXPECT_EQ(ask("many.test", DnsType::kA, 1232).records.size(), 45u);
  EXPECT_EQ(ask_over_tcp("many.test").records.size(), 45u);
  EXPECT_TRUE(ask("cut.test", DnsType::kA, 1232).truncated);
  EXPECT_EQ(ask_over_tcp("cut.test").records, (Records{"A 127.0.0.1 60"}));
  EXPECT_EQ(dns_.total(), 5u);
  EXPECT_EQ(dns_.total_over_tcp(), 2u);
}

TEST_F(DnsServerTest, SilenceAndDelaysHoldNobodyElseUp) {
  dns_.script("silent.test", {DnsReply::silence()});
  dns_.script("slow.test", {DnsReply::addresses({"127.0.0.1"}).delayed(milliseconds(60'000))});
  dns_.script("later.test", {DnsReply::addresses({"127.0.0.1"}).delayed(milliseconds(50))});
  dns_.script("fast.test", {DnsReply::addresses({"127.0.0.2"})});
  send("silent.test");
  send("slow.test");
  send("fast.test");
  EXPECT_EQ(receive()->question_name, "fast.test.");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ask("later.test").question_name, "later.test.");
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(50));
  EXPECT_FALSE(receive(kMustNotFireMs).has_value());
  EXPECT_TRUE(dns_.wait_for_queries(4));
  EXPECT_EQ(dns_.count("silent.test"), 1u);
}

std::chrono::nanoseconds time_on_processors() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

TEST_F(DnsServerTest, WithoutDescriptorsItWaitsInsteadOfSpinning) {
  dns_.script("app.test", {DnsReply::addresses({"127.0.0.1"})});
  {
    const Fd not_accepted(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const hc::test::NoDescriptors none;
    SocketAddress target = SocketAddress::parse("127.0.0.1", dns_.port());
    ASSERT_EQ(::connect(not_accepted.get(), target.get(), target.length), 0);
    const auto before = time_on_processors();
    // Nothing happens that one could wait for: what is measured is the time it takes.
    std::this_thread::sleep_for(milliseconds(200));
    EXPECT_LT(time_on_processors() - before, milliseconds(100));
  }
  EXPECT_EQ(ask_over_tcp("app.test").records.size(), 1u);
}

TEST_F(DnsServerTest, JunkIsIgnoredAndARestartKeepsPortAndScripts) {
  ::send(socket_.get(), "junk", 4, 0);
  const std::string broken = make_query("a.test", DnsType::kA, 0).substr(0, 15);
  ::send(socket_.get(), broken.data(), broken.size(), 0);
  dns_.script("a.test", {DnsReply::addresses({"127.0.0.1"}).delayed(milliseconds(60'000))});
  send("a.test");
  EXPECT_TRUE(dns_.wait_for_queries(1));
  const std::uint16_t port = dns_.port();
  dns_.stop();
  dns_.start();
  EXPECT_EQ(dns_.port(), port);
  dns_.script("a.test", {DnsReply::addresses({"127.0.0.1"})});
  EXPECT_EQ(ask("a.test").records.size(), 1u);
}

}  // namespace
}  // namespace hc::serve::test
