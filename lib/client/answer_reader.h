// AnswerReader: an upstream's streamed answer turned into canonical events.
// Sees to it that whatever happens (an HTTP error, a broken connection, a
// cancelled call) the sink gets exactly one `finished` or `failed`, last.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "llmproxy/dialect.h"
#include "llmproxy/stream.h"
#include "llmproxy/transport.h"
#include "translate/answer_filter.h"

namespace llmproxy {

/// Enough for any error message; an HTML page may go on for ever. Bytes.
inline constexpr std::size_t kMaxErrorBody = std::size_t{1} << 20;

/// What an upstream may send behind the last event before it is cut off.
/// Reading that much lets the connection be used again. Bytes.
inline constexpr std::size_t kMaxTrailing = std::size_t{64} << 10;

class AnswerReader final : private EventSink {
 public:
  /// `sink` is borrowed.
  AnswerReader(const Dialect& dialect, RequestContext context, EventSink& sink);

  // In the order of ResponseHandler's calls:
  void head(int status, const Headers& headers);
  /// `stop`: nothing that may still come would change anything.
  Flow body(std::string_view bytes);
  void done(const Result<void>& result);
  /// In place of all of these: there is no answer.
  void fail(const Error& error);

  /// The last event was sent; what still comes does not matter.
  bool ended() const { return ended_; }
  /// Set when the last event was `failed`.
  const std::optional<Error>& error() const { return error_; }
  /// Of the answer.
  Losses losses() const;

 private:
  void on_event(const StreamEvent& event) override;

  const Dialect& dialect_;
  const RequestContext context_;
  EventSink& sink_;
  // Bytes go through the decoder, its events through the filter, to us.
  const std::unique_ptr<StreamDecoder> decoder_;
  AnswerFilter filter_;
  int status_ = 0;
  Headers headers_;
  std::string error_body_;
  std::size_t trailing_ = 0;  ///< bytes behind the last event
  bool ended_ = false;
  std::optional<Error> error_;
};

/// True for the statuses of answers, false for those of errors.
inline bool is_success(int status) { return status >= 200 && status < 300; }

}  // namespace llmproxy
