#include "fuzz/kit/properties.h"

#include <algorithm>

#include "json/json.h"
#include "json/text.h"

namespace llmproxy::fuzz {
namespace {

// A sentence, with room for what it quotes. Bytes.
constexpr std::size_t kLongestMessage = 8192;
constexpr std::size_t kFixedPart = std::size_t{64} << 10;

/// RFC 6901, section 3.
bool is_pointer(std::string_view text) {
  if (text.empty()) return true;
  if (!text.starts_with('/')) return false;
  for (std::size_t at = text.find('~'); at != std::string_view::npos;
       at = text.find('~', at + 1)) {
    const std::string_view code = text.substr(at + 1, 1);
    if (code != "0" && code != "1") return false;
  }
  return true;
}

std::string unescaped(std::string_view token) {
  std::string out;
  for (std::size_t at = 0; at < token.size(); ++at) {
    const bool escape = token[at] == '~' && at + 1 < token.size();
    if (!escape) {
      out += token[at];
      continue;
    }
    out += token[++at] == '1' ? '/' : '~';
  }
  return out;
}

json::Value element(const json::Value& array, std::string_view index) {
  std::size_t number = 0;
  for (const json::Value child : array.children()) {
    if (std::to_string(number++) == index) return child;
  }
  return {};
}

/// Is there such a place in `root`? The last step may be one that lacks.
bool leads_into(json::Value root, std::string_view pointer) {
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    // A schema may be written as a text: a place in it is one, too.
    if (root.is_string()) return true;
    if (pointer.empty()) return true;
    json::Value next =
        root.is_object() ? root[unescaped(token)] : element(root, token);
    // Places do not name the member of a union.
    if (!next && root.is_object() && root.size() == 1) {
      next = (*root.children().begin())[unescaped(token)];
    }
    if (!next) return false;
    root = next;
  }
  return true;
}

RawJson some_echo() {
  const Dialect& dialect = *find_dialect("openai-responses");
  const auto parsed = ParsedRequest::parse(
      dialect, R"({"model":"m","input":"x","temperature":1.0,"tools":[]})");
  return parsed ? parsed->echo() : RawJson();
}

}  // namespace

bool is_utf8(std::string_view text) {
  return json::valid_utf8_prefix(text) == text.size();
}

void expect_object(std::string_view text, std::string_view what) {
  expect(json::is_json_object(text), std::string(what) + " is a JSON object",
         text);
}

void expect_losses(const Losses& losses) {
  for (const Loss& loss : losses) {
    expect(is_pointer(loss.path) && is_utf8(loss.path),
           "a loss has a JSON pointer", loss.path);
    expect(!loss.what.empty() && is_utf8(loss.what), "a loss has a text",
           loss.what);
  }
}

void expect_error_text(const Error& error) {
  expect(!error.message.empty(), "an error has a message", error.code);
  expect(is_utf8(error.message), "an error is UTF-8", error.message);
}

void expect_error(const Error& error, std::string_view body) {
  expect_error_text(error);
  expect(is_utf8(error.path), "an error's place is UTF-8", error.path);
  expect(error.message.size() <= kLongestMessage, "an error is short",
         error.message);
  expect(is_pointer(error.path), "an error has a JSON pointer", error.path);
  json::Document document;
  const auto root = document.parse(body);
  expect(error.path.empty() || (root && leads_into(*root, error.path)),
         "an error's place is in the body", error.path);
}

void expect_bounded(std::size_t in, std::size_t out, std::size_t factor,
                    std::string_view what) {
  expect(out <= factor * in + kFixedPart, std::string(what) + " is bounded",
         std::to_string(in) + " bytes became " + std::to_string(out));
}

Pair choose_pair(Input& input) {
  const auto all = dialects();
  const Dialect* from = all[input.below(all.size())];
  return {from, all[input.below(all.size())]};
}

RequestContext choose_context(Input& input) {
  static const RawJson echo = some_echo();
  RequestContext context;
  const std::uint8_t flags = input.byte();
  context.stream = (flags & 1) != 0;
  context.include_usage = (flags & 2) != 0;
  context.legacy_functions = (flags & 4) != 0;
  context.json_array = (flags & 8) != 0;
  if ((flags & 16) != 0) context.answer_model = "alias";
  if ((flags & 32) != 0) context.answer_id = "answer-1";
  if ((flags & 64) != 0) context.echo = echo;
  context.model = (flags & 128) != 0 ? "model" : "";
  const std::uint8_t tools = input.byte();
  if ((tools & 1) != 0) {
    context.declared_tools = {"get_weather", "apply_patch", "files__read"};
  }
  if ((tools & 2) != 0) context.custom_tools = {"apply_patch"};
  if ((tools & 4) != 0) {
    context.tool_aliases = {{"get_weather", "get weather, the long name"}};
  }
  if ((tools & 8) != 0) {
    context.namespaced_tools = {{"files__read", "files", "read"}};
  }
  if ((tools & 16) != 0) context.json_tool = "get_weather";
  if ((tools & 32) != 0) context.stop_sequences = {"END", "\n"};
  if ((tools & 64) != 0) context.created = 1700000000;
  context.estimated_input_tokens = (tools & 128) != 0 ? 7 : 0;
  return context;
}

RequestHead Place::head() const { return {path, query, {}, false}; }

Place place_of(const Dialect& dialect, std::string_view upstream_path) {
  if (!dialect.model_in_path()) return {};
  const std::size_t query = upstream_path.find('?');
  Place place{std::string(upstream_path.substr(0, query)), {}};
  if (query != std::string_view::npos) {
    place.query = upstream_path.substr(query + 1);
  }
  return place;
}

ChatRequest read_own(const Dialect& dialect, const std::string& body,
                     std::string_view path) {
  const Place place = place_of(dialect, path);
  const auto parsed = ParsedRequest::parse(dialect, body, place.head());
  expect(static_cast<bool>(parsed), "our own request is parsed",
         parsed ? "" : parsed.error().message + "\n" + body);
  auto decoded = parsed->decode();
  expect(static_cast<bool>(decoded), "our own request is read",
         decoded ? "" : decoded.error().message + "\n" + body);
  return *std::move(decoded);
}

}  // namespace llmproxy::fuzz
