// Routing and translating a request, and relaying answers that come whole.
#include "gateway/call.h"

#include <utility>

#include <fmt/format.h>

#include "gateway/apart.h"
#include "gateway/credentials.h"
#include "gateway/headers.h"
#include "gateway/limits.h"
#include "gateway/log_text.h"
#include "gateway/models.h"
#include "gateway/redact.h"
#include "gateway/stream_call.h"
#include "llmproxy/image_fetcher.h"
#include "llmproxy/waiting.h"

namespace llmproxy::gateway {
namespace {

Result<void> translate(const Exchange& exchange, const ParsedRequest& parsed,
                       const std::string& model, Call& call) {
  LLMPROXY_ASSIGN(TranslatedRequest translated,
                  translate_request(parsed, *call.upstream,
                                    options_for(exchange, call, model)));
  call.request = upstream_request(*call.backend, translated.path,
                                  std::move(translated.body), call.stream);
  pass_headers(exchange, call);
  call.context = std::move(translated.context);
  call.losses = std::move(translated.losses);
  return {};
}

Result<ParsedRequest> parse(const Exchange& exchange, std::string body) {
  RequestHead head;
  head.path = exchange.request.path;
  head.query = exchange.request.query;
  return ParsedRequest::parse(exchange.dialect, std::move(body), head);
}

constexpr std::string_view kStatefulDialect = "openai-responses";

/// Conversations that the backend does not keep: the request becomes one that
/// says everything, and the answer will be stored.
Result<ParsedRequest> with_state(const Exchange& exchange, ParsedRequest parsed,
                                 Call& call) {
  if (call.client->name != kStatefulDialect) return parsed;
  if (call.same_dialect() && !is_demo(*call.backend) &&
      !goes_on_from_store(exchange, parsed.body())) {
    return parsed;
  }
  std::string body(parsed.body());
  LLMPROXY_ASSIGN(call.turn, continue_turn(exchange, body));
  if (body == parsed.body()) return parsed;
  return parse(exchange, std::move(body));
}

/// The system prompt as the route wants it.
Result<ParsedRequest> with_edits(const Exchange& exchange, ParsedRequest parsed,
                                 const SystemEdits& edits) {
  if (edits.empty()) return parsed;
  LLMPROXY_ASSIGN(std::string body, edit_system(parsed, edits));
  if (body == parsed.body()) return parsed;
  return parse(exchange, std::move(body));
}

Result<Call> prepare(Exchange& exchange) {
  HttpRequest& request = exchange.request;
  LLMPROXY_ASSIGN(ParsedRequest parsed,
                  parse(exchange, std::move(request.body)));
  RequestRecord& record = exchange.answer.record();
  record.model = short_name(parsed.model());
  record.stream = parsed.stream();
  const auto target =
      exchange.core.routes().find(parsed.model(), exchange.mount.prefix);
  const Backend* backend =
      target ? exchange.core.find_backend(target->backend) : nullptr;
  if (backend == nullptr) return unknown_model(parsed.model());

  Call call;
  choose_backend(exchange, *backend, call);
  call.client = &exchange.dialect;
  call.upstream =
      call.backend->dialect ? call.backend->dialect : &exchange.dialect;
  call.stream = parsed.stream();
  LLMPROXY_ASSIGN(parsed, with_state(exchange, std::move(parsed), call));
  LLMPROXY_ASSIGN(
      parsed, with_edits(exchange, std::move(parsed), target->route->system));
  record.backend = call.backend->name;
  record.upstream_model = short_name(target->model);
  LLMPROXY_TRY(translate(exchange, parsed, target->model, call));
  LLMPROXY_TRY(reserve(exchange, parsed, record.backend));
  record.losses = call.losses.size();
  return call;
}

/// Keeps a whole answer.
class Collector final : public ResponseHandler {
 public:
  void on_head(int status, const Headers& headers) override {
    answer_.status = status;
    answer_.headers = headers;
  }
  Flow on_body(std::string_view bytes) override {
    if (answer_.body.size() + bytes.size() > kMaxAnswer) {
      too_large_ = true;
      return Flow::stop;
    }
    answer_.body += bytes;
    return Flow::go_on;
  }
  void on_done(const Result<void>& result) override { result_ = result; }

  Result<UpstreamAnswer> take() {
    if (too_large_) return upstream_malformed("the answer is too large");
    if (!result_) return result_.error();
    return std::move(answer_);
  }

 private:
  UpstreamAnswer answer_;
  Result<void> result_;
  bool too_large_ = false;
};

void relay_answer(Exchange& exchange, const Call& call,
                  const UpstreamAnswer& upstream) {
  const Result<TranslatedResponse> translated =
      run_sized(upstream.body.size(), [&] {
        return translate_response(*call.upstream, *call.client, upstream.body,
                                  call.context);
      });
  Answer& answer = exchange.answer;
  Losses losses = call.losses;
  if (translated) {
    losses.insert(losses.end(), translated->losses.begin(),
                  translated->losses.end());
  }
  Headers headers = answer_headers(exchange, call, upstream.headers, losses);
  if (!translated) {
    return answer.send_error(*call.client, translated.error(),
                             std::move(headers));
  }
  note_usage(translated->usage, answer.record());
  answer.record().losses = losses.size();
  if (call.turn) store_turn(exchange, *call.turn, translated->body);
  answer.send_json(upstream.status, std::move(headers), translated->body);
}

}  // namespace

void choose_backend(const Exchange& exchange, const Backend& backend,
                    Call& call) {
  call.backend = &backend;
  call.lends_key = backend.pass_credentials && backend.api_key.empty();
  call.as_client = backend.dialect == nullptr && !is_demo(backend);
  if (!call.lends_key && !call.as_client) return;
  auto own = std::make_shared<Backend>(backend);
  if (call.lends_key) {
    own->api_key = Secret(std::string(
        own_credential(exchange.core.config().server, exchange.request)));
  }
  // In the version of the API that the client asks for.
  if (call.as_client) own->path_prefix = version_of(exchange.request.path);
  call.own_backend = std::move(own);
  call.backend = call.own_backend.get();
}

void pass_headers(const Exchange& exchange, Call& call) {
  if (!call.same_dialect()) return;
  const ServerConfig& server = exchange.core.config().server;
  Headers& out = call.request.headers;
  forward_request_headers(*call.client, exchange.request.headers, out);
  const Headers passable = passable_headers(server, exchange.request);
  const bool as_sent =
      call.lends_key && (call.as_client || has_credential(passable));
  if (as_sent) {
    std::erase_if(out, [](const Header& header) {
      return is_credential_header(header.name);
    });
  }
  for (const Header& header : passable) {
    const bool wanted =
        is_credential_header(header.name) ? as_sent : call.as_client;
    if (wanted && find_header(out, header.name).empty()) out.push_back(header);
  }
  if (!call.as_client) return;
  const std::string query =
      passable_query(server, exchange.request, call.lends_key);
  std::string& url = call.request.url;
  // Where the path has a query already the client's said the same.
  if (!query.empty() && url.find('?') == std::string::npos) url += "?" + query;
}

TranslateOptions options_for(const Exchange& exchange, const Call& call,
                             const std::string& model) {
  const TranslateConfig& config = exchange.core.config().translate;
  TranslateOptions options;
  options.strict = config.strict;
  options.clamp_sampling = config.clamp_sampling;
  options.drop_hosted_tools = config.drop_hosted_tools;
  options.drop_prefill = config.drop_prefill;
  options.model = model;
  options.traits = traits_for(*call.backend, *call.upstream, model);
  options.created = unix_now();
  options.answer_id = exchange.answer.record().request_id;
  options.fetch_image = [&exchange](const std::string& url) {
    std::optional<Result<MediaSource>> image;
    run_apart([&] { image = fetch_image(url, exchange.core.config().images); });
    return *std::move(image);
  };
  return options;
}

Result<UpstreamAnswer> fetch_whole(Exchange& exchange, const Call& call) {
  Collector collector;
  Answer& answer = exchange.answer;
  exchange.core.transport_for(*call.backend)
      .perform(call.request, collector,
               [&answer] { return answer.client_gone(); });
  return collector.take();
}

void relay_whole(Exchange& exchange, const Call& call,
                 Result<UpstreamAnswer> upstream) {
  Answer& answer = exchange.answer;
  if (!upstream) {
    if (answer.client_gone()) return answer.note_client_gone();
    return answer.send_error(*call.client, upstream.error(),
                             answer_headers(exchange, call, {}, call.losses));
  }
  if (!is_success(upstream->status)) {
    return relay_error(exchange, call, *std::move(upstream));
  }
  relay_answer(exchange, call, *upstream);
}

void when_free(Exchange& exchange, const Backend& backend,
               const std::function<void()>& work) {
  Slots& slots = exchange.core.slots();
  Answer& answer = exchange.answer;
  const bool free = slots.take(backend.deadlines.first_byte,
                               [&] { return answer.client_gone(); });
  if (!free) {
    if (answer.client_gone()) return answer.note_client_gone();
    Error error;
    error.kind = ErrorKind::overloaded;
    error.message = "too many requests are being answered; try again";
    error.retry_after = "1";
    return answer.send_error(exchange.dialect, error);
  }
  const SlotGuard guard(slots);
  work();
}

void answer_whole(Exchange& exchange, const Call& call) {
  relay_whole(exchange, call, fetch_whole(exchange, call));
}

void answer_chat(Exchange& exchange) {
  Result<Call> call = run_sized(exchange.request.body.size(),
                                [&] { return prepare(exchange); });
  if (!call) {
    return exchange.answer.send_error(exchange.dialect, call.error());
  }
  when_free(exchange, *call->backend, [&] {
    if (call->stream) {
      StreamCall(exchange, *call).run();
    } else {
      answer_whole(exchange, *call);
    }
  });
}

Headers answer_headers(const Exchange& exchange, const Call& call,
                       const Headers& upstream, const Losses& losses) {
  Headers headers =
      relay_response_headers(*call.client, *call.upstream, upstream,
                             exchange.answer.record().request_id);
  add_loss_header(losses, headers);
  return headers;
}

void relay_error(Exchange& exchange, const Call& call,
                 UpstreamAnswer upstream) {
  redact(*call.backend, exchange.request, upstream.body);
  Answer& answer = exchange.answer;
  Headers headers =
      answer_headers(exchange, call, upstream.headers, call.losses);
  if (upstream.status < 400) {
    return answer.send_error(
        *call.client,
        upstream_malformed(fmt::format("the upstream answered with status {}",
                                       upstream.status)),
        std::move(headers));
  }
  const TranslatedError translated =
      translate_error(*call.upstream, *call.client, upstream.status,
                      upstream.headers, upstream.body);
  answer.note(translated.error);
  answer.send_json(translated.status, std::move(headers), translated.body);
}

void note_usage(const Usage& usage, RequestRecord& record) {
  record.input_tokens = usage.input_tokens;
  record.output_tokens = usage.output_tokens;
  record.cached_tokens = usage.cached_input_tokens;
}

}  // namespace llmproxy::gateway
