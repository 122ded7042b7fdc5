// Requests, answers and errors from one dialect to another.
#include "llmproxy/translate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "chat/parse_answer.h"
#include "chat/prepare.h"
#include "chat/turns.h"
#include "json/json.h"
#include "translate/answer_filter.h"
#include "translate/answer_words.h"
#include "translate/field_names.h"
#include "translate/foreign_seals.h"
#include "translate/parsed_root.h"
#include "translate/take_response.h"

namespace llmproxy {
namespace {

/// The bytes of images that the target would not fetch by itself.
Result<void> fetch_images(std::vector<ContentPart>& content,
                          const std::string& path,
                          const TranslateOptions& options) {
  for (ContentPart& part : content) {
    if (auto* result = part.as<ToolResultPart>()) {
      LLMPROXY_TRY(fetch_images(result->content, path, options));
    }
    auto* image = part.as<ImagePart>();
    if (image == nullptr || image->source.kind != MediaKind::url) continue;
    if (!options.fetch_image) {
      return unsupported(
          "the target does not take images by URL; send the bytes", path);
    }
    auto fetched = options.fetch_image(image->source.data);
    if (!fetched) {
      Error error = std::move(fetched).error();
      error.path = path;
      return error;
    }
    image->source = *std::move(fetched);
  }
  return {};
}

Result<void> fetch_images(ChatRequest& request,
                          const TranslateOptions& options) {
  for (Message& message : request.messages) {
    LLMPROXY_TRY(fetch_images(message.content, path_of(message), options));
  }
  return {};
}

bool has_image_urls(const std::vector<ContentPart>& content) {
  return std::any_of(
      content.begin(), content.end(), [](const ContentPart& part) {
        const auto* result = part.as<ToolResultPart>();
        const auto* image = part.as<ImagePart>();
        return (image != nullptr && image->source.kind == MediaKind::url) ||
               (result != nullptr && has_image_urls(result->content));
      });
}

bool has_image_urls(const ChatRequest& request) {
  return std::any_of(
      request.messages.begin(), request.messages.end(),
      [](const Message& message) { return has_image_urls(message.content); });
}

Error strict_error(const Losses& losses) {
  std::string message =
      "strict mode: this request cannot be translated exactly: ";
  std::size_t named = 0;
  for (const Loss& loss : losses) {
    constexpr std::size_t kNamed = 5;
    if (named == kNamed) {
      message += fmt::format("; and {} more", losses.size() - kNamed);
      break;
    }
    message += fmt::format("{}{} ({})", named++ == 0 ? "" : "; ", loss.path,
                           loss.what);
  }
  return unsupported(std::move(message), losses.front().path);
}

/// Where to, and what goes beside the body.
void address(const Dialect& to, std::string_view model, bool stream,
             TranslatedRequest& out) {
  out.path = upstream_path(to, model, stream);
  const std::size_t mark = out.path.find('?');
  if (mark != std::string::npos) {
    out.query = out.path.substr(mark + 1);
    out.path.erase(mark);
  }
  out.headers = upstream_headers(to, stream);
}

/// All of the answer to a request of the upstream's own dialect but the body.
TranslatedRequest pass_on(const ParsedRequest& parsed, std::string_view model,
                          const TranslateOptions& options) {
  const Dialect& dialect = parsed.dialect();
  TranslatedRequest out;
  out.context.stream = parsed.stream();
  out.context.json_array = parsed.json_array();
  out.context.model = std::string(parsed.model());
  out.context.created = options.created;
  out.context.answer_id = options.answer_id;
  address(dialect, model, parsed.stream(), out);
  // The client reads the stream in the form in which the upstream sends it.
  if (out.context.json_array) {
    out.query.clear();
    out.headers = upstream_headers(dialect, /*stream=*/false);
  }
  return out;
}

Result<void> encode(ChatRequest&& request, const Dialect& to,
                    const TranslateOptions& options, TranslatedRequest& out) {
  EncodeOptions encode;
  encode.traits =
      options.traits ? *options.traits : traits_for(to, request.model);
  encode.clamp_sampling = options.clamp_sampling;
  encode.drop_hosted_tools = options.drop_hosted_tools;
  encode.drop_prefill = options.drop_prefill;
  FetchMedia fetch;
  if (!encode.traits.image_urls) {
    fetch = [&options](ChatRequest& prepared) {
      return fetch_images(prepared, options);
    };
  }
  LLMPROXY_TRY(prepare(request, to, encode, out.context, out.losses, fetch));
  return to.encode_request(request, encode, out.context, out.body, out.losses);
}

/// A request that was read, and all of it that is needed from then on. It is
/// filled in place: moving it costs as much as reading a message.
struct Decoded {
  std::size_t bytes = 0;
  std::optional<FieldNames> names;
  ChatRequest request;
  TranslatedRequest out;
};

Result<void> decode(const ParsedRequest& parsed, const Dialect& to,
                    std::string_view model, const TranslateOptions& options,
                    Decoded& decoded) {
  ChatRequest& request = decoded.request;
  TranslatedRequest& out = decoded.out;
  LLMPROXY_ASSIGN(request, parsed.decode());
  address(to, model, request.stream, out);
  out.context = context_of(request);
  out.context.created = options.created;
  out.context.answer_id = options.answer_id;
  out.context.json_array = parsed.json_array();
  out.context.echo = parsed.echo();
  if (model != parsed.model()) out.context.answer_model = request.model;
  request.model = std::string(model);
  decoded.bytes = parsed.body().size();
  decoded.names.emplace(parsed.dialect(), request, ParsedRoot::of(parsed));
  return {};
}

Result<TranslatedRequest> encode(Decoded& decoded, const Dialect& to,
                                 const TranslateOptions& options) {
  TranslatedRequest& out = decoded.out;
  const FieldNames& names = *decoded.names;
  // About as long in every dialect: grown in one step, not in twenty.
  out.body.reserve(decoded.bytes + decoded.bytes / 8);
  const Result<void> encoded =
      encode(std::move(decoded.request), to, options, out);
  if (!encoded) {
    Error error = encoded.error();
    error.path = names.own(error.path);
    return error;
  }
  for (Loss& loss : out.losses) loss.path = names.own(loss.path);
  if (options.strict && !out.losses.empty()) return strict_error(out.losses);
  return std::move(out);
}

Result<ChatResponse> read_answer(const Dialect& from, std::string_view body,
                                 Losses& losses) {
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, parse_answer(document, body));
  return from.decode_response(root, losses);
}

/// An answer of another dialect's, for a client of `to`.
ChatResponse for_client(ChatResponse answer, const Dialect& to,
                        const RequestContext& context, Losses& losses) {
  ChatResponse response = filter_answer(std::move(answer), context, losses);
  if (!context.answer_model.empty()) response.model = context.answer_model;
  // Some APIs do not say which model it was.
  if (response.model.empty()) response.model = context.model;
  if (response.id.empty()) response.id = context.answer_id;
  response.service_tier = tier_for(to, response.service_tier, losses);
  tell_unknown_stop(to, response.stop_reason, response.stop_reason_text,
                    losses);
  return response;
}

/// `read_usage` reads the answers that `decode_response` does. In a copy with
/// another decode_response it may have been left as it was.
bool has_read_usage(const Dialect& dialect) {
  if (dialect.read_usage == nullptr) return false;
  for (const Dialect* other : dialects()) {
    if (other->read_usage != dialect.read_usage) continue;
    return other->decode_response == dialect.decode_response;
  }
  return true;
}

std::string_view model_of(const ParsedRequest& parsed,
                          const TranslateOptions& options) {
  return options.model.empty() ? parsed.model() : options.model;
}

}  // namespace

std::string TranslatedRequest::target() const {
  return query.empty() ? path : path + '?' + query;
}

Result<TranslatedRequest> translate_request(const ParsedRequest& parsed,
                                            const Dialect& to,
                                            const TranslateOptions& options) {
  const std::string_view model = model_of(parsed, options);
  if (&parsed.dialect() == &to) {
    TranslatedRequest out = pass_on(parsed, model, options);
    out.body = without_foreign_seals(to, parsed.with_model(model));
    return out;
  }
  Decoded decoded;
  LLMPROXY_TRY(decode(parsed, to, model, options, decoded));
  return encode(decoded, to, options);
}

Result<TranslatedRequest> translate_request(ParsedRequest&& parsed,
                                            const Dialect& to,
                                            const TranslateOptions& options) {
  const std::string model(model_of(parsed, options));
  if (&parsed.dialect() == &to) {
    TranslatedRequest out = pass_on(parsed, model, options);
    out.body = without_foreign_seals(to, std::move(parsed).with_model(model));
    return out;
  }
  Decoded decoded;
  LLMPROXY_TRY(decode(parsed, to, model, options, decoded));
  if (!has_image_urls(decoded.request)) {
    const ParsedRequest read = std::move(parsed);
  }
  return encode(decoded, to, options);
}

Result<TranslatedRequest> translate_request(const Dialect& from,
                                            const Dialect& to,
                                            std::string_view body,
                                            const TranslateOptions& options,
                                            const RequestHead& head) {
  LLMPROXY_ASSIGN(ParsedRequest parsed,
                  ParsedRequest::parse(from, std::string(body), head));
  return translate_request(std::move(parsed), to, options);
}

Result<RequestContext> request_context(const ParsedRequest& request,
                                       const Dialect& to,
                                       const TranslateOptions& options) {
  if (&request.dialect() == &to) {
    return pass_on(request, model_of(request, options), options).context;
  }
  LLMPROXY_ASSIGN(TranslatedRequest translated,
                  translate_request(request, to, options));
  return std::move(translated.context);
}

Result<TranslatedResponse> translate_response(const Dialect& from,
                                              const Dialect& to,
                                              std::string_view body,
                                              const RequestContext& context) {
  return take_response(from, to, std::string(body), context);
}

Result<ChatResponse> take_answer(const Dialect& from, const Dialect& to,
                                 std::string body,
                                 const RequestContext& context,
                                 Losses& losses) {
  LLMPROXY_ASSIGN(ChatResponse response, read_answer(from, body, losses));
  std::string().swap(body);
  if (&from == &to) {
    losses.clear();
    return response;
  }
  return for_client(std::move(response), to, context, losses);
}

Result<TranslatedResponse> take_response(const Dialect& from, const Dialect& to,
                                         std::string body,
                                         const RequestContext& context) {
  TranslatedResponse out;
  if (&from == &to) {
    // Passed on as it is, understood or not.
    json::Document document;
    LLMPROXY_ASSIGN(const json::Value root, parse_answer(document, body));
    if (const auto read = from.decode_response(root, out.losses)) {
      out.usage = read->usage;
      out.stop_reason = read->stop_reason;
    }
    out.body = std::move(body);
    out.losses.clear();
    return out;
  }
  LLMPROXY_ASSIGN(const ChatResponse response,
                  take_answer(from, to, std::move(body), context, out.losses));
  to.encode_response(response, context, out.body, out.losses);
  out.usage = response.usage;
  out.stop_reason = response.stop_reason;
  return out;
}

Result<TranslatedResponse> pass_response(const Dialect& dialect,
                                         std::string body) {
  if (!has_read_usage(dialect)) {
    return take_response(dialect, dialect, std::move(body), {});
  }
  TranslatedResponse out;
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, parse_answer(document, body));
  out.usage = dialect.read_usage(root);
  out.body = std::move(body);
  return out;
}

TranslatedError translate_error(const Dialect& from, const Dialect& to,
                                int status, const Headers& headers,
                                std::string_view body) {
  TranslatedError out =
      write_error(to, from.decode_error(status, headers, body));
  // In the client's own dialect already: nothing is put in other words.
  if (&from != &to || status < 400 || status > 599) return out;
  json::Document document;
  const auto root = document.parse(body);
  if (root && to.is_error(*root)) {
    out.status = status;
    out.body = std::string(body);
  }
  return out;
}

TranslatedError write_error(const Dialect& to, const Error& error) {
  TranslatedError out;
  out.error = error;
  out.status = to.encode_error(error, out.body);
  return out;
}

}  // namespace llmproxy
