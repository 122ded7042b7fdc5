#include "server/upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "llmproxy/waiting.h"

namespace llmproxy {
namespace {

// A smaller body stays in memory; of a larger one so much is written at once.
constexpr std::size_t kPiece = std::size_t{256} << 10;
// Files that are larger take long enough to go to be closed by a thread of
// their own.
constexpr std::uint64_t kLargeFile = std::uint64_t{16} << 20;

Error fault_of(const std::string& what, int reason) {
  Error error;
  error.kind = ErrorKind::internal;
  error.message = what + ": " + std::strerror(reason);
  return error;
}

/// For file systems that know no files without a name.
int open_and_unlink(const std::string& folder) {
  std::string path = folder + "/llm-proxy-upload-XXXXXX";
  const int file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file >= 0) ::unlink(path.c_str());
  return file;
}

}  // namespace

std::string usual_upload_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

Result<std::shared_ptr<UploadFile>> UploadFile::create(
    const std::string& folder) {
  int file =
      ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
    file = open_and_unlink(folder);
  }
  if (file < 0) return fault_of("cannot create a file in " + folder, errno);
  return std::shared_ptr<UploadFile>(new UploadFile(file));
}

UploadFile::~UploadFile() {
  // Nobody waits for it, and it is not to keep anybody waiting.
  if (size_ >= kLargeFile) {
    try {
      std::thread([file = file_] { ::close(file); }).detach();
      return;
    } catch (const std::system_error&) {
      // No threads left.
    }
  }
  ::close(file_);
}

Result<void> UploadFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fault_of("cannot write to a file", errno);
    size_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::size_t UploadFile::read(std::uint64_t offset, char* to,
                             std::size_t size) const {
  for (;;) {
    const ssize_t got = ::pread(file_, to, size, static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return 0;
  }
}

char* UploadPlace::room(std::size_t size, std::uint64_t) {
  const std::size_t before = waiting_.size();
  waiting_.resize(before + size);
  return waiting_.data() + before;
}

BodyState UploadPlace::came(std::size_t size, std::size_t got) {
  waiting_.resize(waiting_.size() - size + got);
  if (!memory_.grow(got)) return BodyState::no_room;
  return waiting_.size() < kPiece ? BodyState::complete : write_out();
}

BodyState UploadPlace::write_out() {
  if (!disk_.grow(waiting_.size())) return BodyState::no_room;
  Result<void> written;
  run_apart([&] {
    if (!file_) {
      auto made = UploadFile::create(folder_);
      if (!made) {
        written = made.error();
        return;
      }
      file_ = *std::move(made);
    }
    written = file_->append(waiting_);
  });
  memory_.shrink(waiting_.size());
  waiting_.clear();
  if (written) return BodyState::complete;
  fault_ = written.error().message;
  return BodyState::no_disk;
}

BodyState UploadPlace::finish(std::string& text,
                              std::shared_ptr<const LargeBody>& file) {
  if (!file_) {
    text = std::move(waiting_);
    return BodyState::complete;
  }
  if (!waiting_.empty()) {
    const BodyState state = write_out();
    if (state != BodyState::complete) return state;
  }
  file_->hold(std::move(disk_));
  file = std::move(file_);
  return BodyState::complete;
}

}  // namespace llmproxy
