#include "model/body_fields.h"

namespace hc {
namespace {

Status check_bytes(const hc_request& args) {
  if (args.body.data == nullptr && args.body.len > 0) return Status::invalid("body: NULL with a length");
  if (args.body_length != HC_UNSET && args.body_length != args.body.len)
    return Status::invalid("body_length: is not the length of the body");
  return Status::ok();
}

Status check_elsewhere(const hc_request& args) {
  if (args.body.data != nullptr || args.body.len > 0)
    return Status::invalid("body: this body_kind has its bytes elsewhere");
  if (args.body_length != HC_UNSET && args.body_length > INT64_MAX)
    return Status::invalid("body_length: 2^63 or more");
  return Status::ok();
}

Status refuse_file_fields(const hc_request& args) {
  if (args.body_path.data != nullptr) return Status::invalid("body_path: only with HC_BODY_FILE");
  if (args.body_fd != HC_UNSET_INT) return Status::invalid("body_fd: only with HC_BODY_FILE");
  if (args.body_offset != HC_UNSET) return Status::invalid("body_offset: only with HC_BODY_FILE");
  return Status::ok();
}

Status refuse_callbacks(const hc_request& args) {
  if (args.on_body != nullptr) return Status::invalid("on_body: only with HC_BODY_PULLED");
  if (args.on_rewind != nullptr) return Status::invalid("on_rewind: only with HC_BODY_PULLED");
  return Status::ok();
}

}  // namespace

Status check_body_fields(const hc_request& args) {
  if (args.body_kind != HC_UNSET_FLAG && args.body_kind > HC_BODY_PULLED)
    return Status::invalid("body_kind: unknown");
  bool is_file = args.body_kind == HC_BODY_FILE;
  bool is_pulled = args.body_kind == HC_BODY_PULLED;
  if (is_pulled && args.on_body == nullptr) return Status::invalid("on_body: NULL");
  Status status = has_body_elsewhere(args) ? check_elsewhere(args) : check_bytes(args);
  if (status.is_ok() && !is_file) status = refuse_file_fields(args);
  if (status.is_ok() && !is_pulled) status = refuse_callbacks(args);
  return status;
}

}  // namespace hc
