// A text is a bag of words; each word adds or subtracts one at a few places
// that its hash chooses (feature hashing). Vectors have the length 1.
#include "client/demo/embeddings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "client/demo/words.h"
#include "json/json.h"
#include "json/writer.h"

namespace llmproxy::demo {
namespace {

constexpr std::int64_t kUsualDimensions = 256;
constexpr std::int64_t kMostDimensions = 4096;
// As the vendors have it [openai: embeddings; gemini: batchEmbedContents].
constexpr std::size_t kMostInputs = 2048;
// Of a batch: dimensions times inputs. Bounds the answer to some 20 MB.
constexpr std::int64_t kMostNumbers = 1'000'000;
constexpr int kPlacesOfAWord = 8;

std::uint64_t hash_of(std::string_view text) {  // FNV-1a
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

/// The next number of a sequence (splitmix64).
std::uint64_t next(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

bool is_word_char(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

/// One thing to embed.
struct Text {
  std::vector<std::string> words;
  std::int64_t tokens = 0;
};

Text text_of(std::string_view text) {
  Text out;
  out.tokens = count_words(text);
  std::string word;
  for (const char raw : text) {
    const char c = lower(raw);
    if (is_word_char(static_cast<unsigned char>(c))) {
      word += c;
    } else if (!word.empty()) {
      out.words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) out.words.push_back(std::move(word));
  // Nothing but punctuation is something, too.
  if (out.words.empty()) out.words.emplace_back(text);
  return out;
}

using Vector = std::vector<float>;

Vector vector_of(const Text& text, std::int64_t dimensions) {
  Vector out(static_cast<std::size_t>(dimensions));
  for (const std::string& word : text.words) {
    std::uint64_t state = hash_of(word);
    for (int i = 0; i < kPlacesOfAWord; ++i) {
      const std::uint64_t number = next(state);
      out[(number >> 1) % out.size()] += (number & 1) != 0 ? 1.0F : -1.0F;
    }
  }
  double squares = 0;
  for (const float x : out) squares += double{x} * double{x};
  if (squares == 0) {
    out.front() = 1;
    return out;
  }
  const double length = std::sqrt(squares);
  for (float& x : out) x = static_cast<float>(x / length);
  return out;
}

void write_numbers(const Vector& vector, json::Writer& w) {
  w.begin_array();
  for (const float x : vector) w.number(double{x});
  w.end_array();
}

/// As base64 of little-endian floats [openai: encoding_format].
std::string packed(const Vector& vector) {
  std::string bytes;
  for (const float x : vector) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    for (int shift = 0; shift < 32; shift += 8) {
      bytes += static_cast<char>((bits >> shift) & 0xff);
    }
  }
  return encode_base64(bytes);
}

Result<std::int64_t> dimensions_of(const json::Value& member,
                                   std::string_view path, std::size_t inputs) {
  const std::int64_t asked =
      member.absent() ? kUsualDimensions : member.integer().value_or(0);
  if (asked < 1 || asked > kMostDimensions) {
    return invalid_request(
        fmt::format("the demo has from 1 to {} dimensions", kMostDimensions),
        std::string(path));
  }
  if (asked * static_cast<std::int64_t>(inputs) > kMostNumbers) {
    return invalid_request(
        "the demo answers with a million numbers at most; send fewer inputs at "
        "once or ask for fewer dimensions",
        std::string(path));
  }
  return asked;
}

// --- OpenAI

Error wrong_input(std::string what =
                      "input must be a text, a list of texts, "
                      "a list of tokens, or a list of those") {
  return invalid_request(std::move(what), "/input");
}

Result<Text> text_of_tokens(const json::Value& tokens) {
  Text out;
  for (const json::Value token : tokens.children()) {
    const auto number = token.integer();
    if (!number || *number < 0) return wrong_input();
    out.words.push_back(fmt::format("#{}", *number));
    ++out.tokens;
  }
  if (out.words.empty()) return wrong_input("a list of tokens is empty");
  return out;
}

Result<Text> text_of_input(const json::Value& input) {
  if (input.is_array()) return text_of_tokens(input);
  if (!input.is_string()) return wrong_input();
  if (input.string().empty()) return wrong_input("input has an empty text");
  return text_of(input.string());
}

Result<std::vector<Text>> texts_of_input(const json::Value& input) {
  if (input.absent()) return wrong_input("input is required");
  std::vector<Text> out;
  if (!input.is_array()) {
    LLMPROXY_ASSIGN(Text text, text_of_input(input));
    out.push_back(std::move(text));
    return out;
  }
  if (input.size() == 0) return wrong_input("input is empty");
  if ((*input.children().begin()).is_number()) {
    LLMPROXY_ASSIGN(Text text, text_of_tokens(input));
    out.push_back(std::move(text));
    return out;
  }
  if (input.size() > kMostInputs) {
    return wrong_input(
        fmt::format("input has more than {} texts", kMostInputs));
  }
  for (const json::Value item : input.children()) {
    LLMPROXY_ASSIGN(Text text, text_of_input(item));
    out.push_back(std::move(text));
  }
  return out;
}

/// [openai: POST /v1/embeddings]
Result<Embeddings> embed_openai(std::string_view, const json::Value& root) {
  const json::Value format = root["encoding_format"];
  const bool base64 = format.string() == "base64";
  if (!format.absent() && !base64 && format.string() != "float") {
    return invalid_request("encoding_format must be float or base64",
                           "/encoding_format");
  }
  LLMPROXY_ASSIGN(const std::vector<Text> texts, texts_of_input(root["input"]));
  LLMPROXY_ASSIGN(
      const std::int64_t dimensions,
      dimensions_of(root["dimensions"], "/dimensions", texts.size()));
  Embeddings out;
  out.model = root["model"].string();
  json::Writer w(out.body);
  w.begin_object();
  w.member("object", "list");
  w.key("data");
  w.begin_array();
  std::int64_t index = 0;
  std::int64_t tokens = 0;
  for (const Text& text : texts) {
    tokens += text.tokens;
    w.begin_object();
    w.member("object", "embedding");
    w.member("index", index++);
    w.key("embedding");
    const Vector vector = vector_of(text, dimensions);
    base64 ? w.string(packed(vector)) : write_numbers(vector, w);
    w.end_object();
  }
  w.end_array();
  w.member("model", out.model);
  w.key("usage");
  w.begin_object();
  w.member("prompt_tokens", tokens);
  w.member("total_tokens", tokens);
  w.end_object();
  w.end_object();
  return out;
}

// --- Gemini

constexpr std::string_view kModels = "/models/";

std::string model_in(std::string_view url) {
  const std::size_t at = url.rfind(kModels);
  if (at == std::string_view::npos) return {};
  url.remove_prefix(at + kModels.size());
  return std::string(url.substr(0, url.find(':')));
}

Result<Vector> embed_content(const json::Value& request,
                             const std::string& path, std::size_t inputs) {
  std::string text;
  for (const json::Value part : request["content"]["parts"].children()) {
    if (!part["text"].is_string()) continue;
    if (!text.empty()) text += '\n';
    text += part["text"].string();
  }
  if (text.empty()) {
    return invalid_request("content must have a part with a text",
                           path + "/content");
  }
  // Google takes both spellings of a name.
  json::Value size = request["outputDimensionality"];
  if (size.absent()) size = request["output_dimensionality"];
  LLMPROXY_ASSIGN(const std::int64_t dimensions,
                  dimensions_of(size, path + "/outputDimensionality", inputs));
  return vector_of(text_of(text), dimensions);
}

void write_values(const Vector& vector, json::Writer& w) {
  w.begin_object();
  w.key("values");
  write_numbers(vector, w);
  w.end_object();
}

/// [gemini: models.embedContent]
Result<Embeddings> embed_gemini(std::string_view url, const json::Value& root) {
  LLMPROXY_ASSIGN(const Vector vector, embed_content(root, "", 1));
  Embeddings out;
  out.model = model_in(url);
  json::Writer w(out.body);
  w.begin_object();
  w.key("embedding");
  write_values(vector, w);
  w.end_object();
  return out;
}

/// [gemini: models.batchEmbedContents]
Result<Embeddings> embed_gemini_batch(std::string_view url,
                                      const json::Value& root) {
  const json::Value requests = root["requests"];
  if (requests.size() == 0 || !requests.is_array()) {
    return invalid_request("requests must be a list of requests", "/requests");
  }
  if (requests.size() > kMostInputs) {
    return invalid_request(
        fmt::format("requests has more than {} elements", kMostInputs),
        "/requests");
  }
  Embeddings out;
  out.model = model_in(url);
  json::Writer w(out.body);
  w.begin_object();
  w.key("embeddings");
  w.begin_array();
  std::size_t i = 0;
  for (const json::Value request : requests.children()) {
    LLMPROXY_ASSIGN(const Vector vector,
                    embed_content(request, fmt::format("/requests/{}", i++),
                                  requests.size()));
    write_values(vector, w);
  }
  w.end_array();
  w.end_object();
  return out;
}

}  // namespace

struct EmbeddingsPath {
  std::string_view end;  ///< of the URL's path
  std::string_view dialect;
  Result<Embeddings> (*embed)(std::string_view url, const json::Value& root);
};

namespace {

constexpr std::array kPaths = {
    EmbeddingsPath{"/embeddings", "openai-chat", embed_openai},
    EmbeddingsPath{":embedContent", "gemini", embed_gemini},
    EmbeddingsPath{":batchEmbedContents", "gemini", embed_gemini_batch},
};

}  // namespace

const EmbeddingsPath* find_embeddings(std::string_view url) {
  url = url.substr(0, url.find('?'));
  const auto* const found = std::find_if(
      kPaths.begin(), kPaths.end(),
      [url](const EmbeddingsPath& path) { return url.ends_with(path.end); });
  return found == kPaths.end() ? nullptr : found;
}

const Dialect& dialect_of(const EmbeddingsPath& path) {
  return *find_dialect(path.dialect);
}

Result<Embeddings> embed(const EmbeddingsPath& path, std::string_view url,
                         std::string_view body) {
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, document.parse(body));
  if (!root.is_object()) {
    return invalid_request("the body must be a JSON object");
  }
  return path.embed(url.substr(0, url.find('?')), root);
}

}  // namespace llmproxy::demo
