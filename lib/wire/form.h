// Forms, multipart/form-data [RFC 7578; RFC 2046, section 5.1]: bytes in any
// pieces in, the places of the parts out. What is in the parts is not held.
//
// A form is read here to be sent on, and whoever gets it must find the same
// parts. So what readers take in different ways is refused: lines that end in
// a lone LF, boundaries behind one, parts whose name may be spelled two ways.
//
//   FormReader form(*boundary);
//   LLMPROXY_TRY(form.feed(bytes));  // again and again
//   LLMPROXY_TRY(form.finish());
//   for (const FormPart& part : form.parts()) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/internal_api.h"
#include "llmproxy/result.h"

LLMPROXY_INTERNAL_BEGIN
namespace llmproxy::wire {

/// More parts are refused.
inline constexpr std::size_t kMaxFormParts = 1000;
/// The head of a part may have so many bytes.
inline constexpr std::size_t kMaxPartHead = std::size_t{16} << 10;

/// And its name.
inline constexpr std::size_t kMaxPartName = 256;

struct FormPart {
  std::string name;
  bool file = false;        ///< it has the name of a file
  std::uint64_t begin = 0;  ///< of its content, from the body's beginning
  std::uint64_t end = 0;    ///< behind its content
};

/// True for the content-type of a form, whatever else it says.
bool is_form(std::string_view content_type);
/// What stands between the parts. Errors: it says none, a bad one, or two.
Result<std::string> form_boundary(std::string_view content_type);

/// Used once. All errors are invalid_request or request_too_large; nothing is
/// to be fed behind one.
class FormReader {
 public:
  explicit FormReader(std::string_view boundary);

  Result<void> feed(std::string_view bytes);
  /// The body is over.
  Result<void> finish();

  /// Those that were complete so far.
  const std::vector<FormPart>& parts() const { return parts_; }
  /// Where the first boundary begins, with its "--".
  std::uint64_t first_boundary() const { return first_boundary_; }

 private:
  enum class State : std::uint8_t {
    before,    ///< the first boundary
    boundary,  ///< the rest of its line
    head,
    content,
    after,  ///< the last boundary
  };

  /// Takes a piece of `bytes`, at least a byte, and says how large it was.
  Result<std::size_t> take(std::string_view bytes);
  Result<std::size_t> take_line(std::string_view bytes);
  Result<std::size_t> take_content(std::string_view bytes);
  /// Looks for a boundary; all was taken where there is none.
  std::size_t search(std::string_view bytes);
  Result<void> found_boundary(std::uint64_t at);
  Result<void> boundary_line();
  Result<void> head_line();
  Result<void> disposition(std::string_view value);
  Result<void> end_of_head(std::uint64_t at);
  /// A boundary may stand at the next byte: a line begins there.
  void begin_search();

  const std::string needle_;  ///< "\n--boundary"
  State state_ = State::before;
  std::uint64_t taken_ = 0;  ///< bytes
  std::size_t matched_ = 0;  ///< of needle_
  bool after_cr_ = false;    ///< what matches begins behind a CR
  char last_ = '\n';         ///< byte that was taken last
  std::string line_;         ///< so far
  std::size_t head_size_ = 0;
  bool named_ = false;  ///< the part whose head is read
  FormPart part_;       ///< that is read
  std::vector<FormPart> parts_;
  std::uint64_t first_boundary_ = 0;
};

}  // namespace llmproxy::wire
LLMPROXY_INTERNAL_END
