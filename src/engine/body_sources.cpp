#include "engine/body_sources.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/user_call.h"

namespace hc {
namespace {

Status open_file(const hc_request& args, Fd* out) {
  if ((args.body_path.data != nullptr) == (args.body_fd != HC_UNSET_INT)) {
    return Status::invalid("body_path: name exactly one of body_path and body_fd");
  }
  std::string path(args.body_path.data == nullptr ? "" : args.body_path.data, args.body_path.len);
  if (path.find('\0') != std::string::npos) return Status::invalid("body_path: has NUL");
  bool is_named = args.body_path.data != nullptr;
  // A pipe would block open() until somebody writes.
  Fd file(is_named ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                   : fcntl(args.body_fd, F_DUPFD_CLOEXEC, 0));
  if (!file.is_open()) return Status::system(is_named ? "cannot open body_path" : "body_fd", errno);
  *out = std::move(file);
  return Status::ok();
}

}  // namespace

Status FileBody::open(const hc_request& args, std::unique_ptr<BodySource>* out) {
  Fd file;
  if (Status status = open_file(args, &file); !status.is_ok()) return status;
  struct stat about {};
  if (fstat(file.get(), &about) != 0) return Status::system("fstat of the body", errno);
  if (!S_ISREG(about.st_mode)) return Status::invalid("body_path: not a regular file; use HC_BODY_PULLED");
  uint64_t size = static_cast<uint64_t>(about.st_size);
  uint64_t offset = args.body_offset == HC_UNSET ? 0 : args.body_offset;
  if (offset > size) return Status::invalid("body_offset: beyond the end of the file");
  uint64_t length = args.body_length == HC_UNSET ? size - offset : args.body_length;
  if (length > size - offset) return Status::invalid("body_length: beyond the end of the file");
  posix_fadvise(file.get(), static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_SEQUENTIAL);
  out->reset(new FileBody(std::move(file), offset, length));
  return Status::ok();
}

Status FileBody::do_read(char* buffer, size_t capacity, size_t* count) {
  uint64_t left = start_ + length() - next_;
  size_t wanted = static_cast<size_t>(std::min<uint64_t>(capacity, left));
  ssize_t got = pread(file_.get(), buffer, wanted, static_cast<off_t>(next_));
  if (got < 0) return Status::system("cannot read the body's file", errno);
  if (got == 0 && wanted > 0) return {HC_E_SYSTEM, "the body's file became shorter while it was sent"};
  next_ += static_cast<uint64_t>(got);
  *count = static_cast<size_t>(got);
  return Status::ok();
}

Status FileBody::do_rewind() {
  next_ = start_;
  return Status::ok();
}

Status PulledBody::do_read(char* buffer, size_t capacity, size_t* count) {
  size_t given = 0;
  hc_status code = call_in_turn([&] { return on_body_(buffer, capacity, &given, user_data_); });
  if (code == HC_E_AGAIN) return {HC_E_AGAIN, ""};
  if (code != HC_OK) return {HC_E_CALLBACK, "on_body refused with " + std::to_string(code)};
  if (given > capacity) return {HC_E_CALLBACK, "on_body says that it wrote more than there was room for"};
  *count = given;
  return Status::ok();
}

Status PulledBody::do_rewind() {
  if (on_rewind_ == nullptr) return {HC_E_CALLBACK, "the body cannot be repeated: there is no on_rewind"};
  hc_status code = call_in_turn([&] { return on_rewind_(user_data_); });
  return code == HC_OK ? Status::ok()
                       : Status(HC_E_CALLBACK, "on_rewind refused with " + std::to_string(code));
}

Status make_body_source(const hc_request& args, std::unique_ptr<BodySource>* out) {
  if (args.body_kind == HC_BODY_FILE) return FileBody::open(args, out);
  if (args.body_kind == HC_BODY_PULLED) *out = std::make_unique<PulledBody>(args);
  return Status::ok();
}

}  // namespace hc
