#include "gateway/edited_body.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace llmproxy::gateway {
namespace {

/// The body with its edits, put together where it is read.
class EditedBody final : public LargeBody {
 public:
  EditedBody(std::shared_ptr<const LargeBody> body, std::vector<BodyEdit> edits)
      : body_(std::move(body)), edits_(std::move(edits)) {
    std::uint64_t from = 0;
    for (const BodyEdit& edit : edits_) {
      add({.source = from, .size = edit.begin - from});
      add({.text = &edit.text, .size = edit.text.size()});
      from = edit.end;
    }
    add({.source = from, .size = body_->size() - from});
  }

  std::uint64_t size() const override { return size_; }

  std::size_t read(std::uint64_t offset, char* to,
                   std::size_t size) const override {
    const auto behind = std::upper_bound(
        pieces_.begin(), pieces_.end(), offset,
        [](std::uint64_t at, const Piece& piece) { return at < piece.at; });
    if (behind == pieces_.begin() || offset >= size_) return 0;
    const Piece& piece = *std::prev(behind);
    const std::uint64_t skip = offset - piece.at;
    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>(size, piece.size - skip));
    if (piece.text == nullptr) {
      return body_->read(piece.source + skip, to, count);
    }
    std::memcpy(to, piece.text->data() + skip, count);
    return count;
  }

 private:
  struct Piece {
    std::uint64_t at = 0;               ///< where it begins in this body
    const std::string* text = nullptr;  ///< null = of body_
    std::uint64_t source = 0;           ///< where it begins there
    std::uint64_t size = 0;
  };

  void add(Piece piece) {
    if (piece.size == 0) return;
    piece.at = size_;
    size_ += piece.size;
    pieces_.push_back(piece);
  }

  const std::shared_ptr<const LargeBody> body_;
  const std::vector<BodyEdit> edits_;
  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

}  // namespace

std::string edited_body(std::string_view body,
                        const std::vector<BodyEdit>& edits) {
  std::string out;
  std::uint64_t from = 0;
  for (const BodyEdit& edit : edits) {
    out.append(body.substr(from, edit.begin - from)).append(edit.text);
    from = edit.end;
  }
  return out.append(body.substr(from));
}

std::shared_ptr<const LargeBody> edited_body(
    std::shared_ptr<const LargeBody> body, std::vector<BodyEdit> edits) {
  if (edits.empty()) return body;
  return std::make_shared<EditedBody>(std::move(body), std::move(edits));
}

}  // namespace llmproxy::gateway
