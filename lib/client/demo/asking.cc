// Words, and lists of names, without any grammar but "and" and commas.
#include "client/demo/asking.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "client/demo/words.h"

namespace llmproxy::demo {
namespace {

// A question is shorter; the rest is what it is about.
constexpr std::size_t kTextRead = std::size_t{16} << 10;

constexpr std::array<std::string_view, 3> kSeveralWords = {"parallel", "both",
                                                           "several"};
/// Two words that together ask for every tool.
struct AllRow {
  std::string_view which;
  std::string_view what;
};
constexpr std::array kAllWords = {
    AllRow{"all", "tools"},
    AllRow{"every", "tool"},
    AllRow{"each", "tool"},
};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_word(char c) {
  return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// "getWeather", "get_weather" -> get, weather.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  const auto end = [&] {
    if (!word.empty()) out.push_back(lower(word));
    word.clear();
  };
  char before = ' ';
  for (const char c : text) {
    if (!is_word(c) || (is_lower(before) && is_upper(c))) end();
    if (is_word(c)) word += c;
    before = c;
  }
  end();
  return out;
}

/// A word of a text, by what it is in a list of names.
struct Token {
  enum class Kind { name, comma, joint, other };
  Kind kind = Kind::other;
  std::string_view text;
};

bool begins_name(std::string_view word) {
  return is_upper(word.front()) ||
         static_cast<unsigned char>(word.front()) >= 0x80;
}

Token token_of(std::string_view word) {
  if (word == "and") return {Token::Kind::joint, word};
  return {begins_name(word) ? Token::Kind::name : Token::Kind::other, word};
}

/// Words, commas, and any other punctuation as "other", which ends a list.
/// Apostrophes, hyphens and full stops within a word are parts of it.
std::vector<Token> tokens_of(std::string_view text) {
  constexpr std::string_view kInside = "'-._";
  constexpr std::string_view kSpaces = " \t\r\n";
  std::vector<Token> out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() &&
           (is_word(text[end]) ||
            (end > at && end + 1 < text.size() && is_word(text[end + 1]) &&
             kInside.find(text[end]) != std::string_view::npos)))
      ++end;
    const bool space = kSpaces.find(text[at]) != std::string_view::npos;
    if (end > at) {
      out.push_back(token_of(text.substr(at, end - at)));
    } else if (!space) {
      const std::string_view mark = text.substr(at, 1);
      out.push_back({mark == ","   ? Token::Kind::comma
                     : mark == "&" ? Token::Kind::joint
                                   : Token::Kind::other,
                     mark});
    }
    at = std::max(end, at + 1);
  }
  return out;
}

/// Reads names and what is between them, from the front of a text on.
class ListReader {
 public:
  void read(const Token& token) {
    switch (token.kind) {
      case Token::Kind::name:
        return name(token.text);
      case Token::Kind::comma:
        return link(false);
      case Token::Kind::joint:
        return link(true);
      case Token::Kind::other:
        return end();
    }
  }

  void end() {
    if (joined_ && names_.size() > 1) last_ = names_;
    names_.clear();
    joined_ = open_ = false;
  }

  std::vector<std::string> take() { return std::move(last_); }

 private:
  // Names side by side are one: "San Francisco".
  void name(std::string_view text) {
    if (names_.empty() || open_) {
      names_.emplace_back(text);
    } else {
      names_.back().append(" ").append(text);
    }
    open_ = false;
  }

  void link(bool joint) {
    if (names_.empty()) return;
    open_ = true;
    joined_ = joined_ || joint;
  }

  std::vector<std::string> names_;
  std::vector<std::string> last_;
  bool open_ = false;    ///< the last thing was a comma or "and"
  bool joined_ = false;  ///< there was an "and"
};

}  // namespace

Asking::Asking(std::string_view text) {
  for (std::string& word : words_of(cut_utf8(text, kTextRead))) {
    words_.insert(std::move(word));
  }
}

bool Asking::has(std::string_view word) const { return words_.contains(word); }

bool Asking::says(std::string_view tool) const {
  const std::vector<std::string> words = words_of(tool);
  return !words.empty() &&
         std::all_of(words.begin(), words.end(),
                     [&](const std::string& word) { return has(word); });
}

bool Asking::is_about(std::string_view tool) const {
  const std::vector<std::string> words = words_of(tool);
  return !words.empty() && (has(words.back()) || has(words.back() + "s"));
}

bool Asking::wants_several() const {
  return std::any_of(kSeveralWords.begin(), kSeveralWords.end(),
                     [&](std::string_view word) { return has(word); });
}

bool Asking::wants_all() const {
  return std::any_of(
      kAllWords.begin(), kAllWords.end(),
      [&](const AllRow& row) { return has(row.which) && has(row.what); });
}

std::vector<std::string> listed_names(std::string_view text) {
  ListReader reader;
  for (const Token& token : tokens_of(cut_utf8(text, kTextRead))) {
    reader.read(token);
  }
  reader.end();
  std::vector<std::string> names = reader.take();
  if (names.size() > kMostCalls) names.resize(kMostCalls);
  return names;
}

}  // namespace llmproxy::demo
