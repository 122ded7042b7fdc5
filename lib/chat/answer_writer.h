// AnswerWriter: what the encoders of finished answers share: each part goes to
// the member that is named after its kind.
//
// An encoder has members of these names, those that its dialect needs in this
// order:
//
//   write, write_content, write_text, write_image, write_tool_call,
//   write_thinking, write_refusal, write_opaque, write_stop_reason,
//   write_extensions
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "llmproxy/chat.h"
#include "llmproxy/loss.h"

namespace llmproxy {

/// A dialect's encoder derives from this. For one answer; what it was made of
/// must outlive it.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;
  AnswerWriter(const AnswerWriter&) = delete;
  AnswerWriter& operator=(const AnswerWriter&) = delete;

 protected:
  /// `who` is the target, for losses.
  AnswerWriter(const ChatResponse& response, std::string_view who,
               Losses& losses)
      : response_(response), losses_(losses), who_(who) {}

  /// Writes all parts of the answer.
  void write_parts();
  /// The place of the part that is being written.
  std::size_t index() const { return index_; }

  virtual void write_text(const TextPart& text, const std::string& path) = 0;
  /// Lost, unless a dialect has images in answers.
  virtual void write_image(const ImagePart& image, const std::string& path);
  virtual void write_tool_call(const ToolCallPart& call,
                               const std::string& path) = 0;
  virtual void write_thinking(const ThinkingPart& thinking,
                              const std::string& path) = 0;
  virtual void write_refusal(const RefusalPart& refusal,
                             const std::string& path) = 0;
  /// Lost, unless it is the dialect's own.
  virtual void write_opaque(const OpaquePart& opaque, const std::string& path);

  /// The arguments of a call as an object; tells where they were none.
  std::string input_of(const ToolCallPart& call, const std::string& path);
  /// "<who> does not take <thing>; dropped"
  void lose(std::string path, std::string_view thing);
  /// "<who> does not take <thing>; <became>"
  void lose(std::string path, std::string_view thing, std::string_view became);
  /// The answer is of `dialect`, or made by hand: its extensions are written.
  bool is_of(std::string_view dialect) const {
    return response_.dialect.empty() || response_.dialect == dialect;
  }
  /// Its extensions are those of another dialect.
  void lose_all_extensions();

  const ChatResponse& response_;
  Losses& losses_;

 private:
  void write_part(const ContentPart& part, const std::string& path);
  /// Members that only one API's parts have; no stream can say them.
  void lose_others(const Extensions& others, const std::string& path);

  std::string_view who_;
  std::size_t index_ = 0;
};

}  // namespace llmproxy
