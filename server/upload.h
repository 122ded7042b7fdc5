// Uploads: bodies that are kept in a file instead of in memory, from the time
// they come in until they are sent on. The file has no name and is gone with
// the last who reads it, or with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "llmproxy/byte_budget.h"
#include "llmproxy/large_body.h"
#include "llmproxy/result.h"
#include "server/body_reader.h"

namespace llmproxy {

/// Where uploads are kept where nothing is configured: TMPDIR, else /tmp.
std::string usual_upload_folder();

/// Written by one thread, then read by any.
class UploadFile final : public LargeBody {
 public:
  /// Errors: internal, with the system's reason.
  static Result<std::shared_ptr<UploadFile>> create(const std::string& folder);
  ~UploadFile() override;
  UploadFile(const UploadFile&) = delete;
  UploadFile& operator=(const UploadFile&) = delete;

  /// Errors as create(). Blocks as a disk does.
  Result<void> append(std::string_view bytes);
  /// Gives `lease` back when the file is gone.
  void hold(ByteLease lease) { lease_ = std::move(lease); }

  std::uint64_t size() const override { return size_; }
  std::size_t read(std::uint64_t offset, char* to,
                   std::size_t size) const override;

 private:
  explicit UploadFile(int file) : file_(file) {}

  const int file_;
  std::uint64_t size_ = 0;
  ByteLease lease_;
};

/// Small bodies in memory, larger ones in a file.
class UploadPlace final : public BodyPlace {
 public:
  /// `memory` counts what is held there, `disk` what is in files.
  UploadPlace(std::string folder, ByteLease& memory, ByteBudget* disk)
      : folder_(std::move(folder)), memory_(memory), disk_(disk) {}

  char* room(std::size_t size, std::uint64_t promised) override;
  BodyState came(std::size_t size, std::size_t got) override;
  /// The body is over: it is in `text` or in `file`.
  BodyState finish(std::string& text, std::shared_ptr<const LargeBody>& file);
  /// Why it could not be kept; for the log.
  const std::string& fault() const { return fault_; }

 private:
  BodyState write_out();

  const std::string folder_;
  ByteLease& memory_;
  ByteLease disk_;
  std::string waiting_;  ///< to be written
  std::shared_ptr<UploadFile> file_;
  std::string fault_;
};

}  // namespace llmproxy
