// hc.hpp compiles as C++17, twice in one file, and defines nothing that hpp_cxx17_b.cpp would define again.
#include <hc/hc.hpp>

#include <hc/hc.hpp>

static_assert(!std::is_copy_constructible_v<hc::Session> &&
              std::is_nothrow_move_constructible_v<hc::Session>);
static_assert(!std::is_copy_constructible_v<hc::Queue> && std::is_nothrow_move_constructible_v<hc::Queue>);
static_assert(!std::is_copy_constructible_v<hc::Tls> && std::is_nothrow_move_constructible_v<hc::Tls>);
static_assert(std::is_nothrow_move_constructible_v<hc::Response> &&
              std::is_nothrow_move_assignable_v<hc::Response>);
static_assert(std::is_nothrow_move_constructible_v<hc::Completion>);
static_assert(std::is_copy_constructible_v<hc::Request> && std::is_copy_constructible_v<hc::SessionOptions>);
static_assert(std::is_nothrow_copy_constructible_v<hc::Error> &&
              std::is_base_of_v<std::exception, hc::Error>);

// Text that would be gone before it is read does not compile.
static_assert(std::is_constructible_v<hc::Request, std::string&> &&
              std::is_constructible_v<hc::Request, const char*> &&
              std::is_constructible_v<hc::Request, std::string_view>);
static_assert(!std::is_constructible_v<hc::Request, std::string> &&
              !std::is_constructible_v<hc::Request, const std::string>);

std::uint64_t hpp_cxx17_b_in_ms(hc::Milliseconds time);
bool hpp_cxx17_agrees();

bool hpp_cxx17_agrees() {
  return hpp_cxx17_b_in_ms(hc::forever) == HC_FOREVER && hpp_cxx17_b_in_ms(std::chrono::seconds(2)) == 2000 &&
         hpp_cxx17_b_in_ms(hc::Milliseconds(-1)) == 0;
}
