// The second C++17 unit: see hpp_cxx17_a.cpp.
#include <hc/hc.h>

#include <hc/hc.hpp>

std::uint64_t hpp_cxx17_b_in_ms(hc::Milliseconds time);

std::uint64_t hpp_cxx17_b_in_ms(hc::Milliseconds time) { return hc::detail::in_ms(time); }
