// Structs of hc.h that grow: a program brings the length that its own header had, and nothing beyond it is touched.
#pragma once

#include <hc/hc.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <string>

#include "base/status.h"

namespace hc::capi {

/// sizeof a struct as it was while `last` was its last field.
#define HC_LENGTH(Struct, last) \
  ((offsetof(Struct, last) + sizeof(Struct::last) + alignof(Struct) - 1) / alignof(Struct) * alignof(Struct))

/// Lengths that a struct had in the versions below abi/, oldest first; sizeof(Struct) need not be among them.
template <typename Struct>
inline constexpr std::initializer_list<size_t> kKeptLengths = {};

#define HC_KEPT_LENGTHS(Struct, ...) \
  template <>                        \
  inline constexpr std::initializer_list<size_t> kKeptLengths<Struct> = {__VA_ARGS__}

HC_KEPT_LENGTHS(hc_error, HC_LENGTH(hc_error, message));
HC_KEPT_LENGTHS(hc_completion, HC_LENGTH(hc_completion, reserved));
HC_KEPT_LENGTHS(hc_tls_options, HC_LENGTH(hc_tls_options, key_log_file));
HC_KEPT_LENGTHS(hc_session_options, HC_LENGTH(hc_session_options, on_trace_data));
HC_KEPT_LENGTHS(hc_request, HC_LENGTH(hc_request, address_count));
HC_KEPT_LENGTHS(hc_response_info, HC_LENGTH(hc_response_info, history_count));
HC_KEPT_LENGTHS(hc_attempt, HC_LENGTH(hc_attempt, message));
HC_KEPT_LENGTHS(hc_chunk, HC_LENGTH(hc_chunk, block));
HC_KEPT_LENGTHS(hc_stats, HC_LENGTH(hc_stats, loop_worst_turn_ns));
HC_KEPT_LENGTHS(hc_histograms, HC_LENGTH(hc_histograms, total));
HC_KEPT_LENGTHS(hc_origin_stats, HC_LENGTH(hc_origin_stats, total_ns));
HC_KEPT_LENGTHS(hc_runtime_info, HC_LENGTH(hc_runtime_info, descriptors_in_use));

#undef HC_KEPT_LENGTHS
#undef HC_LENGTH

/// Whether a version of hc.h had this struct with that length.
template <typename Struct>
bool is_length(size_t length) {
  return length == sizeof(Struct) ||
         std::ranges::find(kKeptLengths<Struct>, length) != kKeptLengths<Struct>.end();
}

/// Writes as much of `value` as there is room for.
template <typename Struct>
void copy_prefix(Struct value, size_t length, Struct* out) {
  value.struct_size = static_cast<uint32_t>(length);
  std::memcpy(static_cast<void*>(out), &value, length);
}

/// "Not set" in every field.
void unset(hc_error* error);
void unset(hc_tls_options* options);
void unset(hc_session_options* options);
void unset(hc_request* request);

/// What every init function of hc.h does.
template <typename Struct>
hc_status init(Struct* out, size_t length) {
  if (out == nullptr || !is_length<Struct>(length)) return HC_E_INVALID;
  Struct value;
  unset(&value);
  copy_prefix(value, length, out);
  return HC_OK;
}

/// Copies what the caller filled; the fields of later versions are "not set".
template <typename Struct>
Status copy_in(const Struct* given, const char* name, Struct* out) {
  size_t length = given->struct_size;
  if (!is_length<Struct>(length)) {
    return Status::invalid(std::string(name) + "->struct_size: use the init function");
  }
  if (length < sizeof(Struct)) unset(out);
  std::memcpy(static_cast<void*>(out), given, length);
  return Status::ok();
}

/// Copies what the library fills, as far as the caller's struct_size goes.
template <typename Struct>
Status copy_out(const Struct& value, const char* name, Struct* out) {
  if (out == nullptr) return Status::invalid(std::string(name) + ": NULL");
  if (!is_length<Struct>(out->struct_size)) {
    return Status::invalid(std::string(name) + "->struct_size: not that of any version");
  }
  copy_prefix(value, out->struct_size, out);
  return Status::ok();
}

}  // namespace hc::capi
