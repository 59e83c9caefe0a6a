// The second C++ unit, with the headers in the other order: see header_cxx_a.cpp.
#include <hc/version.h>

#include <hc/hc.h>

#include <hc/hc.h>

long header_cxx_b_version();

long header_cxx_b_version() { return HC_VERSION_NUMBER; }
