#include "model/prometheus.h"

#include <charconv>
#include <functional>
#include <string_view>
#include <utility>

namespace hc {
namespace {

using Labels = std::vector<std::pair<const char*, std::string>>;
using Session = MetricsReading;

// The shortest text that reads back as the same number.
std::string in_seconds(uint64_t ns) {
  char text[32];
  auto [end, error] = std::to_chars(text, text + sizeof text, static_cast<double>(ns) / 1e9);
  return {text, end};
}

std::string label_value(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    c == '\n' ? out += "\\n" : out += c;
  }
  return out;
}

/// Puts metrics together, one after another.
class Writer {
 public:
  explicit Writer(const std::vector<Session>& sessions) : sessions_(sessions) {}

  void family(const char* name, const char* type, const char* help) {
    name_ = name;
    text_ += "# HELP " + name_ + " " + help + "\n# TYPE " + name_ + " " + type + "\n";
  }
  void line(const Session& session, const Labels& labels, const std::string& value, const char* suffix = "") {
    text_ += name_ + suffix;
    std::string inside;
    if (!session.session.empty()) inside = "session=\"" + label_value(session.session) + "\"";
    for (const auto& [name, text] : labels) {
      inside += std::string(inside.empty() ? "" : ",") + name + "=\"" + label_value(text) + "\"";
    }
    if (!inside.empty()) text_ += "{" + inside + "}";
    text_ += " " + value + "\n";
  }

  /// A number of Stats as it is, or in seconds.
  void number(const char* name, const char* type, const char* help, uint64_t Stats::*field) {
    family(name, type, help);
    for (const Session& session : sessions_) line(session, {}, std::to_string(session.stats.*field));
  }
  void seconds(const char* name, const char* type, const char* help, uint64_t Stats::*field) {
    family(name, type, help);
    for (const Session& session : sessions_) line(session, {}, in_seconds(session.stats.*field));
  }
  /// One line for each of several numbers, told apart by a label.
  void split(const char* label, const std::vector<std::pair<const char*, uint64_t Stats::*>>& fields) {
    for (const Session& session : sessions_) {
      for (const auto& [value, field] : fields) {
        line(session, {{label, value}}, std::to_string(session.stats.*field));
      }
    }
  }
  void histogram(const char* name, const char* help, hc_histogram hc_histograms::*field) {
    family(name, "histogram", help);
    for (const Session& session : sessions_) buckets(session, session.histograms.*field);
  }
  void per_origin(const std::function<void(const Session&, const Labels&, const hc_origin_stats&)>& write) {
    for (const Session& session : sessions_) {
      for (const hc_origin_stats& origin : session.origins) write(session, labels_of(origin), origin);
    }
  }

  const std::vector<Session>& sessions() const { return sessions_; }
  std::string take() { return std::move(text_); }

 private:
  void buckets(const Session& session, const hc_histogram& histogram) {
    uint64_t below = 0;
    for (uint32_t i = 0; i < session.histograms.bound_count; ++i) {
      below += histogram.buckets[i];
      line(session, {{"le", in_seconds(session.histograms.bounds_ns[i])}}, std::to_string(below), "_bucket");
    }
    line(session, {{"le", "+Inf"}}, std::to_string(histogram.count), "_bucket");
    line(session, {}, in_seconds(histogram.sum_ns), "_sum");
    line(session, {}, std::to_string(histogram.count), "_count");
  }
  // "https://example.org:443" taken apart; "" (all the others) has "other" as its address.
  static Labels labels_of(const hc_origin_stats& origin) {
    std::string_view name = origin.origin;
    size_t host = name.find("://");
    size_t port = name.rfind(':');
    if (host == std::string_view::npos) return {{"server_address", "other"}};
    return {{"server_address", std::string(name.substr(host + 3, port - host - 3))},
            {"server_port", std::string(name.substr(port + 1))},
            {"url_scheme", std::string(name.substr(0, host))}};
  }

  const std::vector<Session>& sessions_;
  std::string name_;
  std::string text_;
};

void write_requests(Writer& w) {
  w.number("http_client_active_requests", "gauge", "Requests without a completion, waiting ones included.",
           &Stats::in_flight);
  w.histogram("http_client_request_duration_seconds", "From the submit to the end, whatever it was.",
              &hc_histograms::total);
  w.histogram("http_client_request_time_in_queue_seconds", "Time in line for a connection slot.",
              &hc_histograms::waiting);
  w.histogram("libhc_first_byte_duration_seconds",
              "From the end of a request to the first byte of its answer.", &hc_histograms::first_byte);
  w.number("libhc_requests_submitted_total", "counter", "Requests accepted.", &Stats::submitted);
  w.family("libhc_requests_total", "counter", "Requests that ended, by outcome.");
  w.split("outcome",
          {{"succeeded", &Stats::succeeded}, {"failed", &Stats::failed}, {"cancelled", &Stats::cancelled}});
  w.number("libhc_requests_waiting", "gauge", "Requests in line for a connection slot.", &Stats::waiting);
  w.number("libhc_stale_retries_total", "counter",
           "Requests sent once more because a reused connection died.", &Stats::stale_retries);
  w.number("libhc_received_body_bytes_total", "counter", "Bytes of response bodies.", &Stats::bytes_received);
  w.number("libhc_sent_body_bytes_total", "counter", "Bytes of request bodies.", &Stats::bytes_sent);
}

void write_failures(Writer& w) {
  w.family("libhc_request_errors_total", "counter", "Requests that failed, by status code of hc.h.");
  for (const Session& session : w.sessions()) {
    for (size_t i = 0; i < session.failures.size(); ++i) {
      if (session.failures[i] == 0) continue;
      w.line(session, {{"error_type", status_name(-static_cast<Code>(i))}},
             std::to_string(session.failures[i]));
    }
  }
}

void write_connections(Writer& w) {
  w.family("http_client_open_connections", "gauge", "Connections that carry a request, or none.");
  w.split("http_connection_state", {{"active", &Stats::sockets_in_use}, {"idle", &Stats::sockets_idle}});
  w.histogram("libhc_connect_duration_seconds", "From the slot to a usable new connection: DNS, TCP, TLS.",
              &hc_histograms::connect);
  w.number("libhc_sockets_connecting", "gauge", "Sockets that connect.", &Stats::sockets_connecting);
  w.number("libhc_sockets_retired", "gauge", "Sockets shut down and not closed yet.",
           &Stats::sockets_retired);
  w.number("libhc_sockets_peak", "gauge", "Most sockets connecting, active and idle so far.",
           &Stats::sockets_peak);
  w.number("libhc_sockets_opened_total", "counter", "Sockets made.", &Stats::sockets_opened);
  w.number("libhc_sockets_closed_total", "counter", "Sockets closed.", &Stats::sockets_closed);
  w.number("libhc_connections_made_total", "counter", "Connections that became usable.",
           &Stats::connections_made);
  w.number("libhc_connections_reused_total", "counter", "Requests that rode an existing connection.",
           &Stats::connections_reused);
  w.number("libhc_connect_failures_total", "counter", "Sockets that never became usable.",
           &Stats::connect_failures);
}

void write_names_and_loop(Writer& w) {
  w.number("libhc_dns_lookups_total", "counter", "Lookups that left the cache.", &Stats::dns_lookups);
  w.number("libhc_dns_cache_hits_total", "counter", "Lookups that the cache answered.",
           &Stats::dns_cache_hits);
  w.number("libhc_dns_failures_total", "counter", "Lookups that failed.", &Stats::dns_failures);
  w.number("libhc_loop_turns_total", "counter", "Turns of the loop.", &Stats::loop_turns);
  w.seconds("libhc_loop_busy_seconds_total", "counter", "Time that the loop worked, callbacks included.",
            &Stats::loop_busy_ns);
  w.seconds("libhc_loop_elapsed_seconds_total", "counter", "Time since the session was created.",
            &Stats::loop_elapsed_ns);
  w.seconds("libhc_loop_worst_turn_seconds", "gauge", "The longest turn so far.", &Stats::loop_worst_turn_ns);
}

void write_origins(Writer& w) {
  w.family("libhc_origin_requests_total", "counter", "Requests that ended, by origin and outcome.");
  w.per_origin([&](const Session& session, const Labels& labels, const hc_origin_stats& origin) {
    for (const auto& [outcome, count] : {std::pair{"succeeded", origin.succeeded},
                                         {"failed", origin.failed},
                                         {"cancelled", origin.cancelled}}) {
      Labels all = labels;
      all.emplace_back("outcome", outcome);
      w.line(session, all, std::to_string(count));
    }
  });
  auto each = [&w](const char* name, const char* type, const char* help, uint64_t hc_origin_stats::*field) {
    w.family(name, type, help);
    w.per_origin([&](const Session& session, const Labels& labels, const hc_origin_stats& origin) {
      w.line(session, labels, std::to_string(origin.*field));
    });
  };
  each("libhc_origin_active_requests", "gauge", "Requests without a completion, by origin.",
       &hc_origin_stats::in_flight);
  each("libhc_origin_requests_waiting", "gauge", "Requests in line, by origin.", &hc_origin_stats::waiting);
  each("libhc_origin_sockets", "gauge", "Sockets promised, connecting, active and idle, by origin.",
       &hc_origin_stats::sockets);
  each("libhc_origin_connections_made_total", "counter", "Connections that became usable, by origin.",
       &hc_origin_stats::connections_made);
}

}  // namespace

std::string prometheus_text(const std::vector<MetricsReading>& sessions) {
  Writer writer(sessions);
  write_requests(writer);
  write_failures(writer);
  write_connections(writer);
  write_names_and_loop(writer);
  write_origins(writer);
  return writer.take();
}

}  // namespace hc
