// libhc for C++17: hc.h with owners that clean up, and exceptions. Header only, built on nothing but hc.h.
//
//     hc::SessionOptions options;
//     options.limit = 50;
//     hc::Session session(options);
//
//     hc::Request request("http://localhost:8080/");
//     hc::Response response = session.perform(request);
//     std::cout << response.http_status() << ' ' << response.body();
//
// Rules that hold everywhere:
//
//   Names       hc_session_submit() is hc::Session::submit(), and does what hc.h says: threads, limits and meanings
//               are told there. What has no counterpart here is called with get().
//   Ownership   The classes own their handle: they can be moved, not copied, and free it at their end. One that was
//               moved away may only be destroyed or assigned to.
//   Options     SessionOptions, TlsOptions and Request are the structs of hc.h, initialised. Their strings are
//               borrowed: hc::str() makes one of text that must live until the call that takes the struct returns.
//   Views       A std::string_view or hc_str that a response gives lives as long as the response. So a temporary gives
//               none: name the response first.
//   Errors      What is not HC_OK is thrown as hc::Error. A request that failed is not a failed call: its completion
//               says so, and only perform() and send() throw it.
//   Callables   Run on the session's loop thread, and must not throw: an exception out of one ends the program.
//   Stability   Inline functions are compiled into the program, so that any libhc.so.0 will do. They are in a namespace
//               of the SOVERSION.
#ifndef HC_HC_HPP
#define HC_HC_HPP

#include <hc/hc.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace hc {
inline namespace v0 {

// ---- Strings and time -----------------------------------------------------------------------------------------

/// Borrows text. Without data (NULL, as getenv() may return) it is "not given"; "" is given, and empty.
inline hc_str str(std::string_view text) noexcept { return {text.data(), text.size()}; }
inline hc_str str(const char* text) noexcept {
  return text == nullptr ? hc_str{} : str(std::string_view(text));
}
/// A temporary would be gone before anybody reads it.
hc_str str(const std::string&& text) = delete;

inline std::string_view view(hc_str text) noexcept {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.len);
}

using Milliseconds = std::chrono::milliseconds;
/// HC_FOREVER.
inline constexpr Milliseconds forever = Milliseconds::max();

namespace detail {
inline std::uint64_t in_ms(Milliseconds time) noexcept {
  if (time == forever) return HC_FOREVER;
  return time.count() < 0 ? 0 : static_cast<std::uint64_t>(time.count());
}

/// Deletes with a function of hc.h.
template <auto Free>
struct Deleter {
  template <class Handle>
  void operator()(Handle* handle) const noexcept {
    Free(handle);
  }
};
}  // namespace detail

// ---- Errors ---------------------------------------------------------------------------------------------------

/// A call or a request that failed. what() is the one line of hc_error.message.
class Error : public std::runtime_error {
 public:
  explicit Error(const hc_error& details)
      : std::runtime_error(details.message[0] != '\0' ? details.message : hc_status_text(details.status)),
        details_(details) {}
  explicit Error(hc_status status) : Error(details_of(status)) {}

  hc_status status() const noexcept { return details_.status; }
  const char* name() const noexcept { return hc_status_name(details_.status); }
  std::int32_t phase() const noexcept { return details_.phase; }
  const hc_error& details() const noexcept { return details_; }

 private:
  static hc_error details_of(hc_status status) noexcept {
    hc_error details{};
    hc_error_init(&details, sizeof details);
    details.status = status;
    return details;
  }

  hc_error details_;
};

namespace detail {
inline void check(hc_status status) {
  if (status != HC_OK) throw Error(status);
}

/// Calls a function whose last argument is an hc_error.
template <class Function, class... Arguments>
void call(Function function, Arguments... arguments) {
  hc_error error{};
  hc_error_init(&error, sizeof error);
  if (function(arguments..., &error) != HC_OK) throw Error(error);
}

template <class Struct>
Struct sized() noexcept {
  Struct value{};
  value.struct_size = sizeof value;
  return value;
}
}  // namespace detail

// ---- Options --------------------------------------------------------------------------------------------------

struct SessionOptions : hc_session_options {
  SessionOptions() { detail::check(hc_session_options_init(this, sizeof(hc_session_options))); }
};

struct TlsOptions : hc_tls_options {
  TlsOptions() { detail::check(hc_tls_options_init(this, sizeof(hc_tls_options))); }
};

struct Request : hc_request {
  Request() { detail::check(hc_request_init(this, sizeof(hc_request))); }
  explicit Request(std::string_view address) : Request() { url = str(address); }
  explicit Request(const char* address) : Request() { url = str(address); }
  explicit Request(const std::string&& address) = delete;
};

/// A TLS identity, for `tls` of options and requests.
class Tls {
 public:
  explicit Tls(const TlsOptions& options = {}) {
    hc_tls* created = nullptr;
    detail::call(hc_tls_create, &created, &options);
    handle_.reset(created);
  }
  hc_tls* get() const noexcept { return handle_.get(); }

 private:
  std::unique_ptr<hc_tls, detail::Deleter<hc_tls_free>> handle_;
};

// ---- Responses ------------------------------------------------------------------------------------------------

/// A piece of a streamed body in the memory into which it was received.
struct Chunk {
  std::string_view bytes;
  std::unique_ptr<hc_block, detail::Deleter<hc_block_free>> block;
};

/// What a request came to. May be empty: completions after the first have none.
class Response {
 public:
  explicit Response(hc_response* owned = nullptr) noexcept : handle_(owned) {}

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  hc_response* get() const noexcept { return handle_.get(); }

  hc_status status() const noexcept { return hc_response_status(get()); }
  int http_status() const noexcept { return hc_response_http_status(get()); }
  std::string_view body() const& noexcept { return view(hc_response_body(get())); }
  std::string_view certificate(std::size_t nth) const& noexcept {
    return view(hc_response_certificate(get(), nth));
  }
  std::optional<std::string_view> header(std::string_view name, std::size_t nth = 0) const& noexcept {
    hc_str value{};
    if (hc_response_header(get(), str(name), nth, &value) != HC_OK) return std::nullopt;
    return std::string_view(value.data, value.len);
  }
  hc_response_info info() const& {
    auto info = detail::sized<hc_response_info>();
    detail::check(hc_response_get_info(get(), &info));
    return info;
  }
  hc_attempt attempt(std::size_t nth) const& {
    auto attempt = detail::sized<hc_attempt>();
    detail::check(hc_response_attempt(get(), nth, &attempt));
    return attempt;
  }
  std::string_view body() const&& = delete;
  std::string_view certificate(std::size_t nth) const&& = delete;
  std::optional<std::string_view> header(std::string_view name, std::size_t nth = 0) const&& = delete;
  hc_response_info info() const&& = delete;
  hc_attempt attempt(std::size_t nth) const&& = delete;
  /// Why the request failed, to be thrown or read; its status() is HC_OK if it did not.
  Error error() const {
    hc_error details{};
    hc_error_init(&details, sizeof details);
    detail::check(hc_response_error(get(), &details));
    return Error(details);
  }

  // Of a streamed body.

  /// Copies what is here; 0: the end. Nothing: not yet, a completion or wait() says when.
  std::optional<std::size_t> read(void* buffer, std::size_t capacity) {
    std::size_t count = 0;
    const hc_status status = hc_response_read(get(), buffer, capacity, &count);
    if (status == HC_E_AGAIN) return std::nullopt;
    check_body(status);
    return count;
  }
  /// Takes the next piece; without bytes: the end. Nothing: as for read().
  std::optional<Chunk> take() {
    auto chunk = detail::sized<hc_chunk>();
    const hc_status status = hc_response_take(get(), &chunk);
    if (status == HC_E_AGAIN) return std::nullopt;
    check_body(status);
    return Chunk{view(chunk.bytes), decltype(Chunk::block)(chunk.block)};
  }
  /// False: the time passed.
  bool wait(Milliseconds timeout = forever) {
    const hc_status status = hc_response_wait(get(), detail::in_ms(timeout));
    if (status == HC_E_AGAIN) return false;
    detail::check(status);
    return true;
  }

 private:
  /// With the response's own words, if it is the request that failed.
  void check_body(hc_status status) const {
    if (status != HC_OK && status == this->status()) throw error();
    detail::check(status);
  }

  std::unique_ptr<hc_response, detail::Deleter<hc_response_free>> handle_;
};

// ---- Completions and queues -----------------------------------------------------------------------------------

/// News of a request; `body` lives as long as `response`.
struct Completion {
  explicit Completion(const hc_completion& news) noexcept
      : id(news.id),
        user_data(news.user_data),
        response(news.response),
        status(news.status),
        http_status(news.http_status),
        body(view(news.body)),
        kind(news.kind) {}

  hc_id id;
  void* user_data;
  Response response;
  hc_status status;
  int http_status;
  std::string_view body;
  std::int32_t kind;
};

/// Where requests deliver that have it as their `queue`. A session may outlive it, and it a session.
class Queue {
 public:
  Queue() {
    hc_queue* created = nullptr;
    detail::call(hc_queue_create, &created);
    handle_.reset(created);
  }
  hc_queue* get() const noexcept { return handle_.get(); }

  /// Readable while something waits. Not yours to close.
  int fd() const noexcept { return hc_queue_fd(get()); }
  /// How many are ready; 0: the time passed.
  std::size_t wait(Milliseconds timeout = forever) {
    std::size_t ready = 0;
    detail::check(hc_queue_wait(get(), detail::in_ms(timeout), &ready));
    return ready;
  }
  /// What is ready, `most` at most. Does not wait.
  std::vector<Completion> drain(std::size_t most = 64) {
    std::vector<Completion> taken;
    taken.reserve(most);  // before anything is taken: what is taken must not be lost
    std::vector<hc_completion> items(most);
    std::size_t count = 0;
    detail::check(hc_queue_drain(get(), items.data(), sizeof items[0], items.size(), &count));
    for (std::size_t i = 0; i < count; ++i) taken.emplace_back(items[i]);
    return taken;
  }

 private:
  std::unique_ptr<hc_queue, detail::Deleter<hc_queue_close>> handle_;
};

namespace detail {
/// Keeps a callable alive until the last completion of its request.
template <class Callable>
struct CompletionHandler {
  Callable callable;

  static void receive(const hc_completion* news, void* self) noexcept {
    auto* handler = static_cast<CompletionHandler*>(self);
    const bool is_last = news->kind == HC_DONE;
    handler->callable(Completion(*news));
    if (is_last) delete handler;
  }
};

template <class Callable>
struct ClosedHandler {
  Callable callable;

  static void receive(void* self) noexcept {
    const std::unique_ptr<ClosedHandler> handler(static_cast<ClosedHandler*>(self));
    handler->callable();
  }
};
}  // namespace detail

// ---- Session --------------------------------------------------------------------------------------------------

/// A pool of connections and its loop thread. Its end closes it without drain.
class Session {
 public:
  explicit Session(const SessionOptions& options = {}) {
    hc_session* created = nullptr;
    detail::call(hc_session_create, &created, &options);
    handle_.reset(created);
  }
  hc_session* get() const noexcept { return handle_.get(); }

  /// The outcome arrives where the request says: at its `queue` or its `on_done`.
  hc_id submit(const hc_request& request) {
    hc_id id = 0;
    detail::call(hc_session_submit, get(), &request, &id);
    return id;
  }
  /// Calls `on_done(hc::Completion)` with each completion: one, or those of a streamed request.
  template <class Callable>
  hc_id submit(hc_request request, Callable&& on_done) {
    using Handler = detail::CompletionHandler<std::decay_t<Callable>>;
    std::unique_ptr<Handler> handler(new Handler{std::forward<Callable>(on_done)});
    request.on_done = Handler::receive;
    request.user_data = handler.get();
    const hc_id id = submit(request);
    handler.release();  // its last completion deletes it, or has done so
    return id;
  }
  /// The response, or the Error of a request that failed.
  std::future<Response> send(const hc_request& request) {
    std::promise<Response> promise;
    std::future<Response> future = promise.get_future();
    submit(request, [promise = std::move(promise)](Completion done) mutable {
      if (!done.response) return;  // of a streamed request the head was the answer
      if (done.status == HC_OK) {
        promise.set_value(std::move(done.response));
      } else {
        promise.set_exception(std::make_exception_ptr(done.response.error()));
      }
    });
    return future;
  }
  /// Waits for the response, or throws why the request failed.
  Response perform(const hc_request& request) {
    hc_response* response = nullptr;
    detail::call(hc_session_perform, get(), &request, &response);
    return Response(response);
  }
  void cancel(hc_id id) { detail::check(hc_session_cancel(get(), id)); }
  void resume_upload(hc_id id) { detail::check(hc_session_resume_upload(get(), id)); }

  void close(Milliseconds drain = Milliseconds(0)) {
    detail::check(hc_session_close(get(), detail::in_ms(drain)));
  }
  template <class Callable>
  void close_async(Milliseconds drain, Callable&& on_closed) {
    using Handler = detail::ClosedHandler<std::decay_t<Callable>>;
    std::unique_ptr<Handler> handler(new Handler{std::forward<Callable>(on_closed)});
    detail::check(hc_session_close_async(get(), detail::in_ms(drain), Handler::receive, handler.get()));
    handler.release();  // its call deletes it, or has done so
  }

  /// No addresses: the entry is removed.
  void resolve_add(std::string_view host, std::uint16_t port,
                   const std::vector<std::string_view>& addresses) {
    std::vector<hc_str> views;
    for (std::string_view address : addresses) views.push_back(str(address));
    detail::call(hc_session_resolve_add, get(), str(host), port, views.data(), views.size());
  }
  /// Without a host: all.
  void dns_clear(std::string_view host = {}) { detail::check(hc_session_dns_clear(get(), str(host))); }

  hc_stats stats() const {
    auto stats = detail::sized<hc_stats>();
    detail::check(hc_session_stats(get(), &stats));
    return stats;
  }
  hc_histograms histograms() const {
    auto histograms = detail::sized<hc_histograms>();
    detail::check(hc_session_histograms(get(), &histograms));
    return histograms;
  }
  std::vector<hc_origin_stats> origins() const {
    std::vector<hc_origin_stats> rows(HC_MAX_ORIGINS);
    std::size_t count = 0;
    detail::check(hc_session_origins(get(), rows.data(), sizeof rows[0], rows.size(), &count));
    rows.resize(count);
    return rows;
  }

 private:
  std::unique_ptr<hc_session, detail::Deleter<hc_session_free>> handle_;
};

// ---- What is underneath ---------------------------------------------------------------------------------------

inline hc_runtime_info runtime_info() {
  auto info = detail::sized<hc_runtime_info>();
  detail::check(hc_runtime_get_info(&info));
  return info;
}

/// Metrics in Prometheus' text format; each name is the label `session` of one session.
inline std::string prometheus(const std::vector<std::pair<std::string_view, const Session*>>& sessions) {
  std::vector<hc_session*> handles;
  std::vector<hc_str> names;
  for (const auto& [name, session] : sessions) {
    names.push_back(str(name));
    handles.push_back(session->get());
  }
  std::string text;
  for (std::size_t length = 0;; text.resize(length + length / 8)) {
    detail::check(hc_metrics_prometheus(handles.data(), names.data(), handles.size(), text.data(),
                                        text.size(), &length));
    if (length <= text.size()) return text.substr(0, length);
  }
}

}  // namespace v0
}  // namespace hc

#endif  // HC_HC_HPP
