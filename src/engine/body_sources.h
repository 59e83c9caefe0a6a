#pragma once

#include <hc/hc.h>

#include <memory>

#include "base/fd.h"
#include "model/body_source.h"

namespace hc {

/// A part of a regular file, read as the connection takes it.
class FileBody final : public BodySource {
 public:
  /// Opens the path, or makes a descriptor of its own of `fd`, so that the caller may close theirs.
  static Status open(const hc_request& args, std::unique_ptr<BodySource>* out);

 private:
  FileBody(Fd file, uint64_t offset, uint64_t length)
      : BodySource(length), file_(std::move(file)), start_(offset), next_(offset) {}
  Status do_read(char* buffer, size_t capacity, size_t* count) override;
  Status do_rewind() override;
  bool can_rewind() const override { return true; }

  Fd file_;
  const uint64_t start_;
  uint64_t next_;
};

/// What the caller's callback gives.
class PulledBody final : public BodySource {
 public:
  explicit PulledBody(const hc_request& args)
      : BodySource(args.body_length),
        on_body_(args.on_body),
        on_rewind_(args.on_rewind),
        user_data_(args.body_data) {}

 private:
  Status do_read(char* buffer, size_t capacity, size_t* count) override;
  Status do_rewind() override;
  bool can_rewind() const override { return on_rewind_ != nullptr; }

  hc_body_fn on_body_;
  hc_rewind_fn on_rewind_;
  void* user_data_;
};

/// The source that a request names, or none.
Status make_body_source(const hc_request& args, std::unique_ptr<BodySource>* out);

}  // namespace hc
