// ParsedRequest: one parse of the client's body, for routing, translating
// and passing on.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "base/text.h"
#include "json/json.h"
#include "json/text.h"
#include "translate/parsed_root.h"

namespace llmproxy {

struct ParsedRequest::State {
  const Dialect* dialect = nullptr;
  std::string path;
  std::string query;
  json::Document document;
  json::Value root;
  std::string model;
  bool stream = false;

  /// The rest, once `root` is there.
  Result<void> read(const Dialect& as, const RequestHead& head);
};

namespace {

Result<void> read_body(const json::Value& root, std::string& model_out,
                       bool& stream_out) {
  const json::Value model = root["model"];
  if (model.absent() || (model.is_string() && model.string().empty())) {
    return invalid_request("model is required", "/model");
  }
  if (!model.is_string()) {
    return invalid_request(
        fmt::format("model must be a string, not {}", to_string(model.type())),
        "/model");
  }
  const json::Value stream = root["stream"];
  if (!stream.absent() && !stream.boolean()) {
    return invalid_request(fmt::format("stream must be a boolean, not {}",
                                       to_string(stream.type())),
                           "/stream");
  }
  model_out = model.string();
  stream_out = stream.is_true();
  return {};
}

/// What we route, limit and bill by, in any of the dialects.
constexpr std::string_view kDecisive[] = {
    "model",
    "stream",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "metadata",
    "user",
    "safety_identifier",
    "service_tier",
    "inferenceConfig",
    "generationConfig",
    "serviceTier",
};

/// Takes one letter off `text`, in lower case. Two characters beyond ASCII are
/// letters of ASCII in other cases: the long s and the sign of Kelvin.
char take_folded(std::string_view& text) {
  constexpr std::string_view kLongS = "\xC5\xBF";
  constexpr std::string_view kKelvin = "\xE2\x84\xAA";
  for (const auto& [sign, letter] :
       {std::pair(kLongS, 's'), std::pair(kKelvin, 'k')}) {
    if (!text.starts_with(sign)) continue;
    text.remove_prefix(sign.size());
    return letter;
  }
  const char c = text.front();
  text.remove_prefix(1);
  return lower(c);
}

bool same_without_case(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (take_folded(a) != take_folded(b)) return false;
  }
  return a.empty() && b.empty();
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x80; });
}

/// First bytes of keys that may be one of the names, whatever their case. A
/// byte beyond ASCII may begin a sign for a letter.
constexpr std::array<bool, 256> kFirst = [] {
  std::array<bool, 256> first{};
  for (std::size_t byte = 0x80; byte < first.size(); ++byte) first[byte] = true;
  for (const std::string_view name : kDecisive) {
    const auto letter = static_cast<unsigned char>(name.front());
    first[letter] = first[letter - 'a' + 'A'] = true;
  }
  return first;
}();

/// Most keys begin with other letters.
bool may_be_decisive(std::string_view key) {
  return !key.empty() && kFirst[static_cast<unsigned char>(key.front())];
}

/// The signs beyond ASCII take more than one byte.
bool may_be_same(std::string_view key, std::string_view name) {
  return key.size() == name.size()
             ? (key.front() | 0x20) == (name.front() | 0x20)
             : key.size() > name.size() && !is_ascii(key);
}

/// What we read must be what the upstream reads. Of two members of one name
/// some parsers take the first and others the last, and some match names
/// whatever their case (Go's encoding/json).
Result<void> check_decisive(const json::Value& root) {
  std::array<bool, std::size(kDecisive)> seen{};
  for (const json::Value member : root.children()) {
    const std::string_view key = member.key();
    if (!may_be_decisive(key)) continue;
    for (std::size_t i = 0; i < std::size(kDecisive); ++i) {
      const std::string_view name = kDecisive[i];
      if (!may_be_same(key, name)) continue;
      if (key == name && !std::exchange(seen[i], true)) break;
      if (key != name && !same_without_case(key, name)) continue;
      return invalid_request(
          key == name
              ? fmt::format("{} is given more than once", name)
              : fmt::format(
                    "{} is not {}, though servers that ignore case read it so",
                    key, name),
          json::pointer("", key));
    }
  }
  return {};
}

/// Names of models are words of a URL, a log and a table: no control
/// characters, and no broken text, which a path may hold.
Result<void> check_model(std::string_view model, std::string path) {
  const bool controls = std::any_of(model.begin(), model.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
  if (!controls && json::is_utf8(model)) return {};
  return invalid_request(
      "the name of the model must be UTF-8 without control characters",
      std::move(path));
}

Result<void> read_head(const Dialect& dialect, const RequestHead& head,
                       std::string& model, bool& stream) {
  model = head.model;
  stream = head.stream;
  if (!model.empty()) return {};
  if (auto match = match_path(dialect, head.path)) {
    model = std::move(match->model);
    stream = match->path->stream == StreamChoice::always;
    return {};
  }
  if (auto match = match_upstream(dialect, head.path)) {
    model = std::move(match->model);
    stream = match->stream;
    return {};
  }
  // A dialect of a host's that no gateway serves has only the upstream's.
  return invalid_request(fmt::format(
      "the path must name the model, as {} does",
      dialect.client_paths.empty() ? dialect.upstream_path
                                   : dialect.client_paths.front().pattern));
}

}  // namespace

Result<void> ParsedRequest::State::read(const Dialect& as,
                                        const RequestHead& head) {
  dialect = &as;
  path = head.path;
  query = head.query;
  if (!root.is_object()) {
    return invalid_request(fmt::format("the body must be a JSON object, not {}",
                                       to_string(root.type())));
  }
  LLMPROXY_TRY(check_decisive(root));
  LLMPROXY_TRY(as.model_in_path() ? read_head(as, head, model, stream)
                                  : read_body(root, model, stream));
  return check_model(model, as.model_in_path() ? "" : "/model");
}

ParsedRequest::ParsedRequest(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
ParsedRequest::ParsedRequest(ParsedRequest&&) noexcept = default;
ParsedRequest& ParsedRequest::operator=(ParsedRequest&&) noexcept = default;
ParsedRequest::~ParsedRequest() = default;

Result<ParsedRequest> ParsedRequest::parse(const Dialect& dialect,
                                           std::string body,
                                           const RequestHead& head,
                                           const ParseLimits& limits) {
  auto state = std::make_unique<State>();
  LLMPROXY_ASSIGN(state->root,
                  state->document.parse_owned(std::move(body), limits));
  LLMPROXY_TRY(state->read(dialect, head));
  return ParsedRequest(std::move(state));
}

Result<ParsedRequest> ParsedRoot::borrow(const Dialect& dialect,
                                         std::string_view body,
                                         const RequestHead& head,
                                         const ParseLimits& limits) {
  auto state = std::make_unique<ParsedRequest::State>();
  LLMPROXY_ASSIGN(state->root, state->document.parse_view(body, limits));
  LLMPROXY_TRY(state->read(dialect, head));
  return ParsedRequest(std::move(state));
}

const Dialect& ParsedRequest::dialect() const { return *state_->dialect; }

std::string_view ParsedRequest::model() const { return state_->model; }

bool ParsedRequest::stream() const { return state_->stream; }

bool ParsedRequest::json_array() const {
  // Streams of dialects whose streaming endpoint has a query are arrays
  // without it.
  const std::string_view path = state_->dialect->upstream_stream_path;
  const std::size_t query = path.find('?');
  if (!state_->stream || query == std::string_view::npos) return false;
  if (state_->path.empty()) return false;
  return ("&" + state_->query + "&")
             .find(fmt::format("&{}&", path.substr(query + 1))) ==
         std::string::npos;
}

RawJson ParsedRequest::echo() const {
  const auto echo = state_->dialect->echo;
  return echo == nullptr ? RawJson() : echo(state_->root);
}

std::string_view ParsedRequest::body() const { return state_->document.text(); }

Result<ChatRequest> ParsedRequest::decode() const {
  return state_->dialect->decode_request(
      state_->root,
      {state_->path, state_->query, state_->model, state_->stream});
}

namespace {

/// What becomes of a piece of the body.
struct Replacement {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::string text;
};

/// The model's, or nothing where it stays.
std::optional<Replacement> replacement_of(const json::Value& root,
                                          std::string_view text,
                                          std::string_view model) {
  const json::Value old = root["model"];
  if (old.string() == model) return std::nullopt;
  Replacement out;
  out.offset = static_cast<std::size_t>(old.raw().data() - text.data());
  out.length = old.raw().size();
  out.text += '"';
  json::append_escaped(out.text, model);
  out.text += '"';
  return out;
}

}  // namespace

std::string ParsedRequest::with_model(std::string_view model) const& {
  const std::string_view text = body();
  if (state_->dialect->model_in_path()) return std::string(text);
  const auto change = replacement_of(state_->root, text, model);
  if (!change) return std::string(text);
  std::string out;
  out.reserve(text.size() + model.size());
  out.append(text.substr(0, change->offset));
  out.append(change->text);
  out.append(text.substr(change->offset + change->length));
  return out;
}

std::string ParsedRequest::with_model(std::string_view model) && {
  if (state_->dialect->model_in_path()) return std::move(*this).take_body();
  const auto change = replacement_of(state_->root, body(), model);
  std::string out = std::move(*this).take_body();
  if (change) out.replace(change->offset, change->length, change->text);
  return out;
}

std::string ParsedRequest::take_body() && {
  return state_->document.take_text();
}

json::Value ParsedRoot::of(const ParsedRequest& request) {
  return request.state_->root;
}

}  // namespace llmproxy
