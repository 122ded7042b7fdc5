// Requests, answers and errors from one dialect to another.
#include "llmproxy/translate.h"

#include <fmt/format.h>

#include "chat/custom_tools.h"
#include "chat/estimate.h"
#include "chat/tool_names.h"
#include "chat/turns.h"
#include "json/json.h"
#include "translate/answer_filter.h"

namespace llmproxy {
namespace {

RequestContext context_of(const ChatRequest& request,
                          const TranslateOptions& options) {
  RequestContext context;
  context.stream = request.stream;
  context.include_usage = request.include_usage;
  context.legacy_functions = request.legacy_functions;
  context.model = request.model;
  context.stop_sequences = request.stop_sequences;
  context.created = options.created;
  context.answer_id = options.answer_id;
  context.estimated_input_tokens = estimate_input_tokens(request);
  for (const ToolDefinition& tool : request.tools) {
    if (!tool.name.empty()) context.declared_tools.push_back(tool.name);
  }
  return context;
}

/// What every dialect but the client's own needs done to a request.
Result<void> prepare(ChatRequest& request, const Dialect& to,
                     RequestContext& context, Losses& losses) {
  LLMPROXY_TRY(refuse_essential(request.extensions));
  LLMPROXY_TRY(pair_tool_results(request.messages, losses));
  make_call_ids_safe(request.messages);
  if (!to.custom_tools) {
    for (const ToolDefinition& tool : request.tools) {
      if (tool.kind == ToolKind::custom) {
        context.custom_tools.push_back(tool.name);
      }
    }
    wrap_custom_tools(request, losses);
  }
  alias_tool_names(request, to.max_tool_name, context);
  return {};
}

Error strict_error(const Losses& losses) {
  std::string message = "strict mode: this cannot be carried exactly: ";
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

/// The answer of one upstream, parsed; the document must outlive it.
Result<json::Value> parse_answer(json::Document& document,
                                 std::string_view body) {
  auto root = document.parse(body);
  if (!root) {
    return upstream_malformed(fmt::format(
        "the upstream's answer is not readable: {}", root.error().message));
  }
  if (!root->is_object()) {
    return upstream_malformed("the upstream's answer is not a JSON object");
  }
  return root;
}

}  // namespace

Result<TranslatedRequest> translate_request(const ParsedRequest& parsed,
                                            const Dialect& to,
                                            const TranslateOptions& options) {
  const std::string_view model =
      options.model.empty() ? parsed.model() : options.model;
  TranslatedRequest out;
  out.path = std::string(to.upstream_path);
  if (&parsed.dialect() == &to) {
    out.body = parsed.with_model(model);
    out.context.stream = parsed.stream();
    out.context.model = std::string(parsed.model());
    out.context.created = options.created;
    return out;
  }
  LLMPROXY_ASSIGN(ChatRequest request, parsed.decode());
  out.context = context_of(request, options);
  if (model != parsed.model()) out.context.answer_model = request.model;
  request.model = std::string(model);
  LLMPROXY_TRY(prepare(request, to, out.context, out.losses));
  EncodeOptions encode;
  encode.traits = options.traits ? *options.traits : traits_for(to, model);
  encode.clamp_sampling = options.clamp_sampling;
  encode.drop_hosted_tools = options.drop_hosted_tools;
  encode.drop_prefill = options.drop_prefill;
  LLMPROXY_TRY(
      to.encode_request(request, encode, out.context, out.body, out.losses));
  if (options.strict && !out.losses.empty()) return strict_error(out.losses);
  return out;
}

Result<TranslatedRequest> translate_request(const Dialect& from,
                                            const Dialect& to,
                                            std::string_view body,
                                            const TranslateOptions& options) {
  LLMPROXY_ASSIGN(const ParsedRequest parsed,
                  ParsedRequest::parse(from, std::string(body)));
  return translate_request(parsed, to, options);
}

Result<RequestContext> request_context(const ParsedRequest& request,
                                       const Dialect& to,
                                       const TranslateOptions& options) {
  LLMPROXY_ASSIGN(TranslatedRequest translated,
                  translate_request(request, to, options));
  return std::move(translated.context);
}

Result<TranslatedResponse> translate_response(const Dialect& from,
                                              const Dialect& to,
                                              std::string_view body,
                                              const RequestContext& context) {
  json::Document document;
  LLMPROXY_ASSIGN(const json::Value root, parse_answer(document, body));
  TranslatedResponse out;
  auto decoded = from.decode_response(root, out.losses);
  if (&from == &to) {
    // Passed on as it is, understood or not.
    out.body = std::string(body);
    if (decoded) {
      out.usage = decoded->usage;
      out.stop_reason = decoded->stop_reason;
    }
    out.losses.clear();
    return out;
  }
  if (!decoded) return std::move(decoded).error();
  ChatResponse response =
      filter_answer(*std::move(decoded), context, out.losses);
  if (!context.answer_model.empty()) response.model = context.answer_model;
  if (response.id.empty()) response.id = context.answer_id;
  to.encode_response(response, context, out.body, out.losses);
  out.usage = response.usage;
  out.stop_reason = response.stop_reason;
  return out;
}

TranslatedError translate_error(const Dialect& from, const Dialect& to,
                                int status, const Headers& headers,
                                std::string_view body) {
  TranslatedError out =
      write_error(to, from.decode_error(status, headers, body));
  // In the client's own dialect already: nothing is put in other words.
  if (&from != &to || status < 400) return out;
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
