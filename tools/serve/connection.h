// One client connection of HttpServer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "serve/event_loop.h"
#include "serve/request_parser.h"
#include "serve/routes.h"
#include "serve/script.h"
#include "serve/stream.h"

namespace hc::serve {

class Listener;
class ServerCore;

/// Vocabulary
///   exchange   one request and its answer. The answer may begin before the body is in
///              (BodyPlan::kIgnore); it is over when the body is read and the script is done.
///   waiting    the script stands at a kWait or kHang: only time, or the client's leaving, ends it.
/// Rules
///   One exchange at a time; bytes of the next requests wait in input_, up to a limit.
///   Every path that closes the socket goes through end() or drop(); after that nothing else is called.
/// Life: kHandshake (TLS only) -> kHead <-> kExchange -> kLinger -> kClosed; any state may go to kClosed.
class Connection final : public EventTarget {
 public:
  Connection(ServerCore& core, Listener& listener, Fd socket, std::uint16_t peer_port, std::uint64_t number);

  void start();
  void on_event(std::uint32_t events) override;
  void end(Ending ending);
  void behaviour_changed();
  bool is_idle() const { return state_ == State::kHead && input_.empty(); }
  Listener& listener() { return listener_; }
  std::uint64_t number() const { return number_; }

 private:
  enum class State { kHandshake, kHead, kExchange, kLinger, kClosed };
  enum class Purpose { kIdle, kWait, kBodyPause, kLinger };
  enum class Progress { kContinue, kStop };

  // connection.cpp: socket, time and endings
  void shake_hands();
  void receive();
  void peer_ended();
  bool ignores_input() const;
  bool may_read() const;
  void update_interest();
  void arm(Purpose purpose, Milliseconds duration);
  void on_timer();
  void check_idle();
  void linger();
  void drop();

  // exchange_run.cpp: requests and answers
  void advance();
  Progress begin_exchange();
  Progress read_body();
  bool keep_body(std::string_view data);
  void open_script();
  void prepare_body(std::size_t head_size);
  BodyPlan make_plan();
  template <typename Action>
  bool attempt(Action action);
  RequestView view_request() const;
  RouteContext route_context(const RequestView& request, ResponseWriter& writer);
  void answer();
  void script_answer();
  void refuse(int status);
  void script_refusal(int status, std::string_view reason);
  void pump();
  bool generate();
  bool write_some();
  void finish_answer();
  Progress finish_exchange();
  Progress finish_input();
  std::string_view unread() const { return std::string_view(input_).substr(input_taken_); }

  ServerCore& core_;
  Listener& listener_;
  Stream stream_;
  const std::uint16_t peer_port_;
  const std::uint64_t number_;

  State state_ = State::kHead;
  std::uint32_t interest_ = 0;  // what epoll was told; most exchanges never change it
  bool wants_write_ = false;    // the socket took less than the script offered, or others have their turn
  bool peer_ended_ = false;     // its FIN was read
  Timer timer_;                 // one is enough: no two purposes ever run at the same time
  Purpose purpose_ = Purpose::kIdle;
  TimePoint last_active_;

  std::string input_;            // received and not yet consumed
  std::size_t input_taken_ = 0;  // of input_
  RequestHead head_;             // views into input_, or into head_copy_ while a body is read
  std::string head_copy_;
  const Route* route_ = nullptr;
  std::string_view route_rest_;
  BodyPlan plan_;
  BodyReader body_reader_;
  std::string body_;
  std::uint64_t body_length_ = 0;
  std::uint64_t body_checksum_ = 0;
  std::uint64_t requests_ = 0;
  bool body_done_ = true;
  bool body_paused_ = false;
  bool answered_ = false;      // the script was written, and may still run
  bool answering_ = false;     // the script runs
  bool answer_begun_ = false;  // some of it may have been sent
  bool waiting_ = false;
  Script script_;
};

}  // namespace hc::serve
