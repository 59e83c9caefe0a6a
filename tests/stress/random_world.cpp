#include "stress/random_world.h"
#include "support/tls_server.h"

#include <gtest/gtest.h>

namespace hc::test {
namespace {

using namespace std::chrono_literals;
using serve::DnsReply;

// Takes all connects and answers none; also the first of the addresses of two.test.
constexpr const char* kHoleAddress = "127.0.0.9";

hc_timeouts random_timeouts(Dice& dice) {
  auto clock = [&dice](uint64_t chance, uint64_t longest) -> uint64_t {
    return dice.percent(chance) ? 1 + dice.roll(longest) : HC_UNSET;
  };
  // What hangs must end some time.
  uint64_t total = dice.percent(30) ? 1 + dice.roll(10) : 200 + dice.roll(800);
  return {total,         clock(5, 50), clock(5, 30), clock(5, 50),
          clock(20, 50), clock(5, 30), clock(5, 30), clock(5, 30)};
}

}  // namespace

hc_request Errand::request() const {
  hc_request request = make_request(url);
  request.timeouts = timeouts;
  request.force_close = force_close;
  if (is_post) {
    request.method = HC_STR("POST");
    request.body = str(key);
  }
  return request;
}

void Errand::check_body(int32_t http_status, hc_str body) const {
  if (length < 0) return;
  EXPECT_EQ(http_status, 200) << url;
  EXPECT_TRUE(text(body) == serve::pattern(static_cast<uint64_t>(length)))
      << url << ": " << body.len << " bytes";
}

serve::HttpServerOptions World::options() const {
  serve::HttpServerOptions options;
  options.listeners.resize(2);
  options.listeners[kTls].tls = tls_with(pki_.server());
  return options;
}

World::World() : server(options()) {
  server.start();
  dns_.script("one.test", {DnsReply::addresses({"127.0.0.1"}, 1)});
  dns_.script("two.test", {DnsReply::addresses({kHoleAddress, "127.0.0.1"}, 1)});
  dns_.script("slow.test", {DnsReply::addresses({"127.0.0.1"}, 1).delayed(20ms)});
  dns_.script("refuses.test", {DnsReply::servfail()});
  dns_.script("silent.test", {DnsReply::silence()});
  dns_.start();
  nameserver_ = dns_.endpoint();
  hole_ = std::make_unique<serve::BlackHole>(kHoleAddress, server.port(kPlain));
}

void World::introduce(hc_session_options& options) const {
  options.nameservers = str(nameserver_);
  options.ca_file = str(pki_.ca().certificate_path);
}

Errand World::errand(Dice& dice) {
  Errand errand;
  errand.timeouts = random_timeouts(dice);
  if (dice.percent(5)) errand.force_close = HC_ON;
  errand.url = place(dice) + path(dice, errand);
  return errand;
}

std::string World::place(Dice& dice) const {
  std::string port = ":" + std::to_string(server.port(kPlain));
  switch (dice.roll(20)) {
    case 0: return "http://two.test" + port;
    case 1: return "http://slow.test" + port;
    case 2: return "http://nx.test" + port;
    case 3: return "http://refuses.test" + port;
    case 4: return "http://silent.test" + port;
    case 5: return std::string("http://") + kHoleAddress + port;
    case 6: return "http://127.0.0.1:" + std::to_string(refused_.port());
    case 7:
    case 8:
    case 9: return server.url(kTls);
    case 10:
    case 11:
    case 12: return "http://one.test" + port;
    default: return server.url(kPlain);
  }
}

std::string World::path(Dice& dice, Errand& errand) {
  static const std::vector<std::string> kTrouble = {
      "/delay/15",
      "/drip?bytes=20&every_ms=1",
      "/drip?bytes=10&every_ms=1&head=1",
      "/status/503",
      "/chunked?chunks=5&every_ms=1",
      "/reset?after=request-head",
      "/reset?after=half-head",
      "/reset?after=half-body",
      "/fin?after=request",
      "/fin?after=head",
      "/fin?after=body",
      "/close",
      "/close/silent",
      "/hang",
      "/truncate",
      "/badchunk",
      "/badstatus",
      "/late?after_ms=0&poison=response",
      "/late?after_ms=1&poison=garbage",
      "/keepalive/1",
      "/1xx?count=2",
  };
  if (dice.percent(40)) return dice.pick(kTrouble);
  if (dice.percent(40)) {
    errand.is_post = true;
    errand.key = std::to_string(++last_key_);
    return "/once/" + errand.key + dice.pick<std::string>({"", "", "?die=before_reply", "?die=before_body"});
  }
  errand.length = dice.pick<int64_t>({0, 1, 100, 100, 5'000, 200'000});
  return "/bytes/" + std::to_string(errand.length);
}

}  // namespace hc::test
