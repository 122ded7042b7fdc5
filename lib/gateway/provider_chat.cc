#include "gateway/provider_chat.h"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/text.h"
#include "gateway/backend_error.h"
#include "gateway/call_place.h"
#include "gateway/credentials.h"
#include "gateway/details.h"
#include "gateway/forward.h"
#include "gateway/headers.h"
#include "gateway/log_text.h"
#include "gateway/path_errors.h"
#include "gateway/prepared_call.h"
#include "gateway/redact.h"
#include "gateway/whole_call.h"
#include "json/json.h"
#include "json/writer.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kDialect = "openai-chat";
constexpr std::string_view kDefaultImage = "image/png";

// --- The request, as one of Chat Completions.

void write_image_url(std::string_view url, json::Writer& w) {
  w.begin_object();
  w.member("type", "image_url");
  w.key("image_url");
  w.begin_object();
  w.member("url", url);
  w.end_object();
  w.end_object();
}

Result<void> write_part(const json::Value& part, const std::string& path,
                        json::Writer& w) {
  const std::string_view type = part["type"].string();
  if (type == "image_url" && !part["image_url"]) {
    if (!part["url"].is_string()) {
      return invalid_request("url is required", path + "/url");
    }
    write_image_url(part["url"].string(), w);
  } else if (type == "image_base64") {
    if (!part["data"].is_string()) {
      return invalid_request("data is required", path + "/data");
    }
    const std::string_view mime = part["mime_type"].string();
    write_image_url(
        fmt::format("data:{};base64,{}", mime.empty() ? kDefaultImage : mime,
                    part["data"].string()),
        w);
  } else {
    w.raw(part.raw());
  }
  return {};
}

Result<void> write_content(const json::Value& content, const std::string& path,
                           json::Writer& w) {
  if (!content.is_array()) {
    w.raw(content.raw());
    return {};
  }
  w.begin_array();
  std::size_t i = 0;
  for (const json::Value part : content.children()) {
    LLMPROXY_TRY(write_part(part, fmt::format("{}/{}", path, i++), w));
  }
  w.end_array();
  return {};
}

Result<void> write_messages(const json::Value& messages, json::Writer& w) {
  w.begin_array();
  std::size_t i = 0;
  for (const json::Value message : messages.children()) {
    const std::string path = fmt::format("/messages/{}/content", i++);
    if (!message.is_object()) {
      w.raw(message.raw());
      continue;
    }
    w.begin_object();
    for (const json::Value member : message.children()) {
      w.key(member.key());
      if (member.key() == "content") {
        LLMPROXY_TRY(write_content(member, path, w));
      } else {
        w.raw(member.raw());
      }
    }
    w.end_object();
  }
  w.end_array();
  return {};
}

Result<std::string> chat_body(const std::string& body,
                              const ParseLimits& limits) {
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, document.parse_view(body, limits));
  std::string out;
  json::Writer w(out);
  if (!root.is_object()) return body;  // refused where chats are read
  w.begin_object();
  for (const json::Value member : root.children()) {
    w.key(member.key());
    if (member.key() == "messages" && member.is_array()) {
      LLMPROXY_TRY(write_messages(member, w));
    } else {
      w.raw(member.raw());
    }
  }
  w.end_object();
  return out;
}

// --- The answer.

struct WritePart {
  json::Writer& w;

  void operator()(const TextPart& part) const {
    w.member("type", "text");
    w.member("text", part.text);
  }
  void operator()(const RefusalPart& part) const {
    w.member("type", "text");
    w.member("text", part.text);
  }
  void operator()(const ThinkingPart& part) const {
    w.member("type", "thinking");
    w.member("text", part.text);
  }
  void operator()(const ImagePart& part) const {
    const bool bytes = part.source.kind == MediaKind::base64;
    w.member("type", bytes ? "image_base64" : "image_url");
    w.member_if("mime_type", part.source.media_type);
    w.member(bytes ? "data" : "url", part.source.data);
  }
  void operator()(const ToolCallPart& part) const {
    w.member("type", "tool_call");
    w.member("id", part.id);
    w.member("name", part.name);
    w.member("arguments", part.arguments);
  }
  template <class Other>
  void operator()(const Other&) const {
    w.member("type", "other");
  }
};

std::string answer_body(std::string_view provider,
                        const ChatResponse& response) {
  std::string text;
  for (const ContentPart& part : response.content) {
    if (const auto* words = std::get_if<TextPart>(&part.value)) {
      text += words->text;
    }
  }
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.member("provider", provider);
  w.member("model", response.model);
  w.member("content", text);
  w.key("content_parts");
  w.begin_array();
  for (const ContentPart& part : response.content) {
    w.begin_object();
    std::visit(WritePart{w}, part.value);
    w.end_object();
  }
  w.end_array();
  w.member("stop_reason", response.stop_reason_text);
  w.end_object();
  return out;
}

// --- The call.

/// The backend with the key this client brings; an error where nobody has
/// one.
Result<std::shared_ptr<const Backend>> backend_for(const Exchange& exchange,
                                                   const std::string& name) {
  const Backend* backend = exchange.core.find_backend(name);
  if (backend == nullptr) {
    Error error = invalid_request(fmt::format(
        "there is no provider '{}' here; chats by a model's name go to "
        "/v1/chat/completions",
        short_name(name)));
    error.kind = ErrorKind::not_found;
    error.code = kUnknownUrl;
    return error;
  }
  auto own = std::make_shared<Backend>(*backend);
  const std::string_view key =
      find_header(exchange.request.headers, "x-api-key");
  if (!key.empty() && !is_client_key(exchange.core.config().server, key)) {
    own->api_key = Secret(std::string(key));
  }
  if (own->pass_credentials && own->api_key.empty() &&
      !own->provider->key_optional) {
    Error error = invalid_request(fmt::format(
        "a key for {} is required: send it as x-api-key, or set {} where the "
        "proxy runs",
        name, own->provider->key_variable));
    error.kind = ErrorKind::unauthenticated;
    return error;
  }
  return std::shared_ptr<const Backend>(std::move(own));
}

Result<CallPlan> plan_chat(Exchange& exchange, const std::string& provider,
                           UpstreamCall& call) {
  LLMPROXY_ASSIGN(call.own_backend, backend_for(exchange, provider));
  call.backend = call.own_backend.get();
  RequestRecord& record = exchange.answer.record();
  record.backend = call.backend->name;
  call.client = find_dialect(kDialect);
  call.upstream = call.backend->dialect ? call.backend->dialect : call.client;
  LLMPROXY_ASSIGN(std::string body, chat_body(exchange.request.body,
                                              exchange.core.parse_limits()));
  std::string().swap(exchange.request.body);
  LLMPROXY_ASSIGN(ParsedRequest parsed,
                  parse_request(exchange, *call.client, std::move(body)));
  call.stream = parsed.stream();
  record.stream = call.stream;
  record.model = record.upstream_model = short_name(parsed.model());
  std::string model(parsed.model());
  return CallPlan{.request = std::move(parsed),
                  .model = std::move(model),
                  .passes_headers = false};
}

void relay_upstream_error(Exchange& exchange, const UpstreamCall& call,
                          UpstreamAnswer upstream) {
  redact(*call.backend, exchange.request, upstream.body);
  redact(*call.backend, exchange.request, upstream.headers);
  if (upstream.status < 400) {
    return exchange.answer.send_error(*call.client, no_answer(upstream));
  }
  const Error error = call.upstream->decode_error(
      upstream.status, upstream.headers, upstream.body);
  exchange.answer.note(error);
  Headers headers = answer_headers(exchange, call, upstream.headers, {});
  add_retry_after(*call.client, error, headers);
  const std::string_view type = find_header(upstream.headers, "content-type");
  if (is_header_value(type)) {
    headers.push_back({"content-type", std::string(type)});
  }
  exchange.answer.send(upstream.status, std::move(headers), upstream.body);
}

void relay_success(Exchange& exchange, const UpstreamCall& call,
                   const std::string& provider,
                   const UpstreamAnswer& upstream) {
  ClientAnswer& answer = exchange.answer;
  Losses losses = call.losses;
  json::Document document;
  const auto root = document.parse_view(upstream.body);
  const Result<ChatResponse> response =
      root ? call.upstream->decode_response(*root, losses)
           : Result<ChatResponse>(upstream_malformed(root.error().message));
  if (!response) {
    Error error = unreadable_answer(form_of(upstream.body), upstream.headers,
                                    response.error());
    redact(*call.backend, exchange.request, error.message);
    return answer.send_error(*call.client, error);
  }
  note_usage(response->usage, answer.record());
  answer.send_json(upstream.status,
                   answer_headers(exchange, call, upstream.headers, losses),
                   answer_body(provider, *response));
}

void ask(Exchange& exchange, const std::string& provider, UpstreamCall& call) {
  ClientAnswer& answer = exchange.answer;
  if (call.stream) {
    Headers losses;
    add_loss_header(call.losses, losses);
    answer.add_headers(losses);
    return relay_bytes(exchange, *call.backend, std::move(call.request),
                       {call.upstream, call.context});
  }
  Result<UpstreamAnswer> upstream = fetch_whole(exchange, call);
  if (answer.client_gone()) return answer.note_client_gone();
  if (!upstream) {
    return answer.send_error(*call.client,
                             at_backend(*call.backend, upstream.error()));
  }
  if (!is_success(upstream->status)) {
    return relay_upstream_error(exchange, call, *std::move(upstream));
  }
  relay_success(exchange, call, provider, *upstream);
}

}  // namespace

void answer_provider_chat(Exchange& exchange) {
  const std::string provider = percent_decoded(exchange.tail);
  UpstreamCall call;
  const Result<void> made = prepare_call(
      exchange, call, [&] { return plan_chat(exchange, provider, call); });
  if (!made) {
    return refuse_call(exchange, *find_dialect(kDialect), made.error());
  }
  tell_call(exchange, call);
  when_free(exchange, *call.backend, [&] { ask(exchange, provider, call); });
}

}  // namespace llmproxy::gateway
