// ParsedRequest: one parse of the client's body, for routing, translating
// and passing on.
#include <fmt/format.h>

#include "json/json.h"
#include "json/text.h"
#include "llmproxy/translate.h"

namespace llmproxy {

struct ParsedRequest::State {
  const Dialect* dialect = nullptr;
  std::string path;
  std::string query;
  json::Document document;
  json::Value root;
  std::string model;
  bool stream = false;
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
  // What we route by must be what the upstream reads.
  int models = 0;
  for (const json::Value member : root.children()) {
    models += member.key() == "model" ? 1 : 0;
  }
  if (models > 1) {
    return invalid_request("model is given more than once", "/model");
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
  return invalid_request(fmt::format("the path must name the model, as {} does",
                                     dialect.client_paths.front().pattern));
}

}  // namespace

ParsedRequest::ParsedRequest(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
ParsedRequest::ParsedRequest(ParsedRequest&&) noexcept = default;
ParsedRequest& ParsedRequest::operator=(ParsedRequest&&) noexcept = default;
ParsedRequest::~ParsedRequest() = default;

Result<ParsedRequest> ParsedRequest::parse(const Dialect& dialect,
                                           std::string body,
                                           const RequestHead& head) {
  auto state = std::make_unique<State>();
  state->dialect = &dialect;
  state->path = head.path;
  state->query = head.query;
  LLMPROXY_ASSIGN(state->root, state->document.parse_owned(std::move(body)));
  if (!state->root.is_object()) {
    return invalid_request(fmt::format("the body must be a JSON object, not {}",
                                       to_string(state->root.type())));
  }
  LLMPROXY_TRY(dialect.model_in_path()
                   ? read_head(dialect, head, state->model, state->stream)
                   : read_body(state->root, state->model, state->stream));
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
  return {echo == nullptr ? std::string() : echo(state_->root)};
}

std::string_view ParsedRequest::body() const { return state_->document.text(); }

Result<ChatRequest> ParsedRequest::decode() const {
  return state_->dialect->decode_request(
      state_->root,
      {state_->path, state_->query, state_->model, state_->stream});
}

std::string ParsedRequest::with_model(std::string_view model) const {
  const std::string_view text = body();
  if (state_->dialect->model_in_path()) return std::string(text);
  const std::string_view old = state_->root["model"].raw();
  if (state_->root["model"].string() == model) return std::string(text);
  const auto start = static_cast<std::size_t>(old.data() - text.data());
  std::string out;
  out.reserve(text.size() + model.size());
  out.append(text.substr(0, start));
  out += '"';
  json::append_escaped(out, model);
  out += '"';
  out.append(text.substr(start + old.size()));
  return out;
}

}  // namespace llmproxy
