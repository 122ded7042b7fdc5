// JsonProgress: knows, byte by byte, whether a JSON object has been closed.
// Tells when the arguments of a streamed tool call are complete without
// keeping or parsing them.
#pragma once

#include <string_view>

namespace llmproxy {

class JsonProgress {
 public:
  void feed(std::string_view text) {
    for (const char c : text) step(c);
  }
  /// An object or array was opened and closed again.
  bool complete() const { return opened_ && depth_ == 0; }

 private:
  void step(char c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      opened_ = true;
      ++depth_;
    } else if (c == '}' || c == ']') {
      --depth_;
    }
  }

  int depth_ = 0;
  bool opened_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace llmproxy
