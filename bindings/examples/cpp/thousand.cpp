// 1,000 requests through one session, over at most 50 connections. One of them fails, and says why.
//
//     c++ -std=c++17 thousand.cpp $(pkg-config --cflags --libs libhc) -o thousand
//     hcx serve --http 127.0.0.1:8080 &
//     ./thousand http://127.0.0.1:8080
#include <hc/hc.hpp>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>

namespace {

constexpr std::size_t kRequests = 1000, kConnections = 50, kFailing = 500;

struct Tally {
  std::size_t answers = 0, failures = 0, bytes = 0;
  hc_stats stats{};
};

// Request N asks for N bytes, but for one, whose connection the server resets.
void submit(hc::Session& session, hc::Queue& queue, const std::string& base, std::size_t number) {
  const std::string url = base + (number == kFailing ? "/reset" : "/bytes/" + std::to_string(number));
  hc::Request request(url);
  request.queue = queue.get();
  request.user_data = reinterpret_cast<void*>(number);
  session.submit(request);
}

void count(Tally& sum, const hc::Completion& done) {
  if (done.status != HC_OK) {
    const hc::Error error = done.response.error();
    std::cout << "request " << reinterpret_cast<std::size_t>(done.user_data) << " failed: " << error.name()
              << ": " << error.what() << '\n';
    ++sum.failures;
  } else if (done.http_status == 200) {
    ++sum.answers;
    sum.bytes += done.body.size();
  }
}

// Session and queue end with it, whatever happens.
Tally fetch(const std::string& base) {
  hc::SessionOptions options;
  options.limit = kConnections;  // the others wait in line
  hc::Session session(options);
  hc::Queue queue;
  for (std::size_t number = 0; number < kRequests; ++number) submit(session, queue, base, number);
  Tally sum;
  for (std::size_t open = kRequests; open > 0;) {  // each request that was accepted completes exactly once
    queue.wait();
    for (const hc::Completion& done : queue.drain()) {
      count(sum, done);
      --open;
    }
  }
  session.close(hc::forever);
  sum.stats = session.stats();
  return sum;
}

std::ptrdiff_t entries(const char* directory) {
  return std::distance(std::filesystem::directory_iterator(directory), {});
}

// The kernel may list a thread for a moment after it was joined.
bool threads_become(std::ptrdiff_t expected) {
  for (int patience = 5000; entries("/proc/self/task") != expected; --patience) {
    if (patience == 0) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

bool adds_up(const Tally& sum) {
  return sum.answers == kRequests - 1 && sum.failures == 1 &&
         sum.bytes == kRequests * (kRequests - 1) / 2 - kFailing && sum.stats.submitted == kRequests &&
         sum.stats.sockets_peak <= kConnections && sum.stats.sockets_opened == sum.stats.sockets_closed;
}

bool run(const std::string& base) {
  const std::ptrdiff_t descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  const Tally sum = fetch(base);
  const bool leaks = !threads_become(threads) || entries("/proc/self/fd") != descriptors;
  std::cout << sum.answers << " answers, " << sum.bytes << " bytes, " << sum.failures << " failure, at most "
            << sum.stats.sockets_peak << " connections" << (leaks ? "; something was left open" : "") << '\n';
  return adds_up(sum) && !leaks;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: thousand URL\n";
    return 2;
  }
  try {
    return run(argv[1]) ? 0 : 1;
  } catch (const hc::Error& error) {
    std::cerr << "thousand: hc::Error: " << error.name() << ": " << error.what() << '\n';
    return 1;
  }
}
