// What the demo model is asked: the newest turn of a conversation, read once.
#pragma once

#include <string>
#include <vector>

#include "llmproxy/chat.h"

namespace llmproxy::demo {

/// Everything since the model last spoke.
struct Turn {
  std::string text;  ///< of the last user message that has any
  std::size_t images = 0;
  std::size_t documents = 0;
  std::size_t clips = 0;  ///< audio
  struct ToolAnswer {
    std::string tool;  ///< name, as the call in the history says
    std::string text;
    bool is_error = false;
  };
  std::vector<ToolAnswer> tool_answers;
};

Turn newest_turn(const ChatRequest& request);

/// All text of a request, in order; images and the like leave nothing.
std::string all_text(const ChatRequest& request);

/// Tokens of the prompt: its words, and a fixed number for each medium.
std::int64_t input_tokens(const ChatRequest& request);

}  // namespace llmproxy::demo
