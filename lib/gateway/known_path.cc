#include "gateway/known_path.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace llmproxy::gateway {
namespace {

/// A segment that base URLs end in, and where they do.
struct BaseWord {
  std::string_view word;
  bool version = false;
};
constexpr std::array kBaseWords = {
    // OpenAI's; google-genai 3 without another version.
    BaseWord{"v1", true},
    // Google's.
    BaseWord{"v1beta", true},
    BaseWord{"v1alpha", true},
    BaseWord{"v1beta1", true},
    // OpenRouter: /api/v1.
    BaseWord{"api"},
    // Groq: /openai/v1; Azure: /openai/v1; Google: /v1beta/openai.
    BaseWord{"openai"},
    // DeepSeek and Moonshot: /anthropic.
    BaseWord{"anthropic"},
    // Fireworks: /inference/v1.
    BaseWord{"inference"},
    // DashScope: /compatible-mode/v1.
    BaseWord{"compatible-mode"},
    // Cohere: /compatibility/v1.
    BaseWord{"compatibility"},
};

/// Which versions our own paths have, the usual first; "" = none.
constexpr std::array<std::string_view, 3> kVersions = {"/v1", "/v1beta", ""};

/// So many words at most are left out: the longest endpoint twice and its
/// version have fewer. A path may have thousands.
constexpr std::size_t kMostWords = 8;

const BaseWord* find_base_word(std::string_view word) {
  const auto* row =
      std::find_if(kBaseWords.begin(), kBaseWords.end(),
                   [&](const BaseWord& base) { return base.word == word; });
  return row == kBaseWords.end() ? nullptr : row;
}

/// "/a/b" of "//a/b/"; "" of "/".
std::string single_slashes(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || !out.ends_with('/')) out += c;
  }
  while (out.ends_with('/')) out.pop_back();
  return out;
}

/// "a" of "/a/b".
std::string_view first_word(std::string_view rest) {
  rest.remove_prefix(1);
  return rest.substr(0, rest.find('/'));
}

/// "v2": no base URL of ours ends in it, though a path of ours has it.
bool is_other_version(std::string_view word) {
  return word.size() > 1 && word[0] == 'v' && word[1] >= '0' && word[1] <= '9';
}

/// `rest` in the version that was left out last, else in one of ours.
std::optional<std::string> with_version(std::string_view version,
                                        std::string_view rest,
                                        const KnownPaths& known) {
  const auto path_in = [&](std::string_view of) {
    std::string path = std::string(of).append(rest);
    return path.empty() ? std::string("/") : path;
  };
  if (!version.empty()) {
    if (std::string path = path_in(version); known.has(path)) return path;
  }
  for (const std::string_view of : kVersions) {
    if (std::string path = path_in(of); known.has(path)) return path;
  }
  return std::nullopt;
}

}  // namespace

bool is_plain_path(std::string_view path) {
  return path.find("//") == std::string_view::npos &&
         (path.size() <= 1 || !path.ends_with('/'));
}

std::optional<std::string> known_path(std::string_view path,
                                      const KnownPaths& known) {
  const std::string plain = single_slashes(path);
  if (!path.starts_with('/')) return std::nullopt;
  std::string_view rest = plain;
  std::string_view version;
  bool only_base = true;  // no word of an endpoint was left out
  for (std::size_t i = 0; i <= kMostWords; ++i) {
    // An endpoint is no other spelling of the root.
    if (rest.empty() && !only_base) return std::nullopt;
    if (auto found = with_version(version, rest, known)) return found;
    if (rest.empty()) return std::nullopt;
    const std::string_view word = first_word(rest);
    const BaseWord* base = find_base_word(word);
    if (base == nullptr && (is_other_version(word) || !known.has_word(word))) {
      return std::nullopt;
    }
    only_base = only_base && base != nullptr;
    const bool is_version = base != nullptr && base->version;
    // Behind a vendor's name the API is another one than before it.
    version = is_version ? rest.substr(0, word.size() + 1) : std::string_view();
    rest.remove_prefix(word.size() + 1);
  }
  return std::nullopt;
}

bool names_version(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const BaseWord* base = find_base_word(path.substr(0, slash));
    if (base != nullptr && base->version) return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
  return false;
}

}  // namespace llmproxy::gateway
