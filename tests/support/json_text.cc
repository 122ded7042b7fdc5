// JSON as text: layout, compaction, quoting. See json_text.h.
#include "support/json_text.h"

#include <cstddef>

namespace llmproxy::testing {
namespace {

// Containers whose compact text is this short stay on one line.
constexpr std::size_t kOneLine = 72;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// End (exclusive) of the string literal that starts at `begin`.
std::size_t string_end(std::string_view text, std::size_t begin) {
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

// End (exclusive) of the bracketed text that starts at `begin`.
std::size_t container_end(std::string_view text, std::size_t begin) {
  int depth = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      i = string_end(text, i) - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return text.size();
}

// Breaks compact JSON into lines.
class Layout {
 public:
  explicit Layout(std::string_view compact) : text_(compact) {}

  std::string run() {
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '"') {
      copy(string_end(text_, at_));
    } else if (c == '{' || c == '[') {
      open();
    } else if (c == '}' || c == ']') {
      --level_;
      new_line();
      out_ += c;
      ++at_;
    } else if (c == ',') {
      out_ += c;
      ++at_;
      new_line();
    } else if (c == ':') {
      out_ += ": ";
      ++at_;
    } else {
      out_ += c;
      ++at_;
    }
  }

  void open() {
    const std::size_t end = container_end(text_, at_);
    // The whole document is always broken up, however short.
    if (end - at_ <= 2 || (level_ > 0 && end - at_ <= kOneLine)) {
      one_line(end);
      return;
    }
    out_ += text_[at_++];
    ++level_;
    new_line();
  }

  void one_line(std::size_t end) {
    while (at_ < end) {
      const char c = text_[at_];
      if (c == '"') {
        copy(string_end(text_, at_));
        continue;
      }
      out_ += c;
      if (c == ':' || c == ',') out_ += ' ';
      ++at_;
    }
  }

  void copy(std::size_t end) {
    out_ += text_.substr(at_, end - at_);
    at_ = end;
  }

  void new_line() {
    out_ += '\n';
    if (level_ > 0) out_.append(static_cast<std::size_t>(level_) * 2, ' ');
  }

  std::string_view text_;
  std::string out_;
  std::size_t at_ = 0;
  int level_ = 0;
};

}  // namespace

std::string compact_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      const std::size_t end = string_end(text, i);
      out += text.substr(i, end - i);
      i = end;
    } else {
      if (!is_space(text[i])) out += text[i];
      ++i;
    }
  }
  return out;
}

std::string layout_json(std::string_view text) {
  return Layout(compact_json(text)).run();
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

std::string with_member(std::string_view object, std::string_view member) {
  const std::size_t close = object.rfind('}');
  std::size_t last = close;
  while (last > 0 && is_space(object[last - 1])) --last;
  std::string out(object.substr(0, last));
  if (last == 0 || object[last - 1] != '{') out += ',';
  out += member;
  out += object.substr(close);
  return out;
}

}  // namespace llmproxy::testing
