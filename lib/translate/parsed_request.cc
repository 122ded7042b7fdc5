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
};

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
  const json::Value model = state->root["model"];
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
  for (const json::Value member : state->root.children()) {
    models += member.key() == "model" ? 1 : 0;
  }
  if (models > 1) {
    return invalid_request("model is given more than once", "/model");
  }
  const json::Value stream = state->root["stream"];
  if (!stream.absent() && !stream.boolean()) {
    return invalid_request(fmt::format("stream must be a boolean, not {}",
                                       to_string(stream.type())),
                           "/stream");
  }
  return ParsedRequest(std::move(state));
}

const Dialect& ParsedRequest::dialect() const { return *state_->dialect; }

std::string_view ParsedRequest::model() const {
  return state_->root["model"].string();
}

bool ParsedRequest::stream() const { return state_->root["stream"].is_true(); }

std::string_view ParsedRequest::body() const { return state_->document.text(); }

Result<ChatRequest> ParsedRequest::decode() const {
  return state_->dialect->decode_request(state_->root,
                                         {state_->path, state_->query});
}

std::string ParsedRequest::with_model(std::string_view model) const {
  const std::string_view text = body();
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
