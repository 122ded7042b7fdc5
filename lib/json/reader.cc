// The only file that includes simdjson. Walks a document once with the
// on-demand parser and leaves the flat index of json.h behind.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "json/json.h"
#include "json/text.h"

namespace llmproxy::json {
namespace {

namespace ondemand = simdjson::ondemand;

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Where a mistake is, as "byte 17 (line 2, column 4)".
std::string place(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto last = before.rfind('\n');
  const std::size_t column =
      last == std::string_view::npos ? offset : offset - last - 1;
  return fmt::format("byte {} (line {}, column {})", offset, lines + 1,
                     column + 1);
}

}  // namespace

struct Document::State {
  ondemand::parser parser;
  std::string buffer;  // text plus simdjson's padding
  std::size_t size = 0;
  std::vector<Node> nodes;
  std::vector<std::unique_ptr<std::string>> repaired;  // see string_text()

  std::string_view text() const { return {buffer.data(), size}; }
  Result<Value> index();
  simdjson::error_code walk(ondemand::document& document, ondemand::value value,
                            int depth);
  template <class Container>
  simdjson::error_code walk_children(ondemand::document& document,
                                     Container container, std::uint32_t self,
                                     int depth);
  simdjson::error_code scalar(std::string_view raw, Node& node);
  std::string_view string_text(std::string_view raw);
  const char* end_of_container(ondemand::document& document) const;
};

namespace {

/// Nothing follows the value that was read last.
bool at_end(ondemand::document& document) {
  const char* location = nullptr;
  return document.current_location().get(location) != simdjson::SUCCESS;
}

/// A nesting error of our own, told apart from simdjson's by its value.
constexpr auto kTooDeep = simdjson::DEPTH_ERROR;

Error syntax_error(std::string_view text, simdjson::error_code code,
                   std::optional<std::size_t> offset) {
  if (code == simdjson::EMPTY) return invalid_request("the body is empty");
  if (code == kTooDeep) {
    return invalid_request(
        fmt::format("the JSON is nested {} levels deep or more", kMaxDepth));
  }
  if (code == simdjson::UTF8_ERROR) {
    return invalid_request(fmt::format("invalid UTF-8 at {}",
                                       place(text, valid_utf8_prefix(text))));
  }
  if (code == simdjson::UNCLOSED_STRING) {
    return invalid_request(
        fmt::format("invalid JSON: the text ends inside a string, at {}",
                    place(text, text.size())));
  }
  if (code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT) offset = text.size();
  if (!offset) return invalid_request("the body is not valid JSON");
  return invalid_request(fmt::format(
      "the body is not valid JSON: mistake near {}", place(text, *offset)));
}

}  // namespace

/// A string whose escapes simdjson refuses: lone surrogates, which
/// JavaScript clients produce by cutting strings, become U+FFFD.
std::string_view Document::State::string_text(std::string_view raw) {
  auto repaired_text = std::make_unique<std::string>();
  if (!unescape_leniently(raw, *repaired_text)) return {};
  repaired.push_back(std::move(repaired_text));
  return *repaired.back();
}

simdjson::error_code Document::State::scalar(std::string_view raw, Node& node) {
  node.raw = raw;
  if (raw == "true" || raw == "false") {
    node.type = Type::boolean;
  } else if (raw == "null") {
    node.type = Type::null;
  } else if (is_number_text(raw)) {
    node.type = Type::number;
  } else {
    return simdjson::TAPE_ERROR;
  }
  return simdjson::SUCCESS;
}

/// Just behind the bracket that closed the container walked last: the next
/// token is known, the bracket is the last thing before it.
const char* Document::State::end_of_container(
    ondemand::document& document) const {
  const char* location = nullptr;
  if (document.current_location().get(location)) {
    location = buffer.data() + size;
  }
  while (location > buffer.data() && location[-1] != '}' &&
         location[-1] != ']') {
    --location;
  }
  return location;
}

template <class Container>
simdjson::error_code Document::State::walk_children(
    ondemand::document& document, Container container, std::uint32_t self,
    int depth) {
  std::uint32_t previous = 0;
  for (auto child : container) {
    const auto index = static_cast<std::uint32_t>(nodes.size());
    nodes.emplace_back();
    ondemand::value value;
    if constexpr (std::is_same_v<Container, ondemand::object>) {
      ondemand::field field;
      if (auto error = std::move(child).get(field)) return error;
      std::string_view key;
      if (auto error = field.unescaped_key().get(key)) return error;
      nodes[index].key = key;
      value = std::move(field.value());
    } else {
      if (auto error = std::move(child).get(value)) return error;
    }
    if (auto error = walk(document, value, depth)) return error;
    if (previous != 0) nodes[previous].next = index;
    previous = index;
    ++nodes[self].count;
  }
  return simdjson::SUCCESS;
}

simdjson::error_code Document::State::walk(ondemand::document& document,
                                           ondemand::value value, int depth) {
  const auto self = static_cast<std::uint32_t>(nodes.size() - 1);
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  const std::string_view token = trim(value.raw_json_token());
  switch (type) {
    case ondemand::json_type::object:
    case ondemand::json_type::array: {
      if (depth + 1 >= kMaxDepth) return kTooDeep;
      if (type == ondemand::json_type::object) {
        nodes[self].type = Type::object;
        ondemand::object object;
        if (auto error = value.get_object().get(object)) return error;
        if (auto error = walk_children(document, object, self, depth + 1)) {
          return error;
        }
      } else {
        nodes[self].type = Type::array;
        ondemand::array array;
        if (auto error = value.get_array().get(array)) return error;
        if (auto error = walk_children(document, array, self, depth + 1)) {
          return error;
        }
      }
      const char* start = token.data();
      nodes[self].raw = {
          start, static_cast<std::size_t>(end_of_container(document) - start)};
      return simdjson::SUCCESS;
    }
    case ondemand::json_type::string: {
      nodes[self].type = Type::string;
      nodes[self].raw = token;
      std::string_view text;
      if (value.get_string().get(text) == simdjson::SUCCESS) {
        nodes[self].text = text;
        return simdjson::SUCCESS;
      }
      nodes[self].text = string_text(token);
      return nodes[self].text.data() != nullptr ? simdjson::SUCCESS
                                                : simdjson::STRING_ERROR;
    }
    default:
      return scalar(token, nodes[self]);
  }
}

Result<Value> Document::State::index() {
  nodes.clear();
  repaired.clear();
  const simdjson::padded_string_view padded(buffer.data(), size, buffer.size());
  ondemand::document document;
  if (auto error = parser.iterate(padded).get(document)) {
    return syntax_error(text(), error, std::nullopt);
  }
  auto fail = [&](simdjson::error_code code) {
    const char* location = nullptr;
    std::optional<std::size_t> offset = size;
    if (document.current_location().get(location) == simdjson::SUCCESS) {
      offset = static_cast<std::size_t>(location - buffer.data());
    }
    return syntax_error(text(), code, offset);
  };

  nodes.emplace_back();
  bool is_scalar = false;
  if (auto error = document.is_scalar().get(is_scalar)) return fail(error);
  if (is_scalar) {
    const std::string_view raw = trim(text());
    if (raw.front() == '"') {
      nodes[0].type = Type::string;
      nodes[0].raw = raw;
      std::string_view decoded;
      if (auto error = document.get_string().get(decoded)) return fail(error);
      nodes[0].text = decoded;
      if (!at_end(document)) return fail(simdjson::TRAILING_CONTENT);
    } else if (auto error = scalar(raw, nodes[0])) {
      return fail(error);
    }
    return Value(&nodes, 0);
  }
  ondemand::value root;
  if (auto error = document.get_value().get(root)) return fail(error);
  if (auto error = walk(document, root, 0)) return fail(error);
  if (!at_end(document)) return fail(simdjson::TRAILING_CONTENT);
  return Value(&nodes, 0);
}

Document::Document() : state_(std::make_unique<State>()) {}
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Result<Value> Document::parse(std::string_view text) {
  State& state = *state_;
  state.buffer.assign(text);
  state.size = text.size();
  state.buffer.resize(text.size() + simdjson::SIMDJSON_PADDING);
  return state.index();
}

Result<Value> Document::parse_owned(std::string text) {
  State& state = *state_;
  state.size = text.size();
  state.buffer = std::move(text);
  state.buffer.resize(state.size + simdjson::SIMDJSON_PADDING);
  return state.index();
}

std::string_view Document::text() const { return state_->text(); }

}  // namespace llmproxy::json
