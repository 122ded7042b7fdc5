// Routing and translating a request, and relaying answers that come whole.
#include "gateway/call.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "gateway/answer_ids.h"
#include "gateway/apart.h"
#include "gateway/backend_error.h"
#include "gateway/credentials.h"
#include "gateway/destination.h"
#include "gateway/details.h"
#include "gateway/headers.h"
#include "gateway/limits.h"
#include "gateway/log_text.h"
#include "gateway/redact.h"
#include "gateway/stream_call.h"
#include "gateway/unknown_model.h"
#include "llmproxy/image_fetcher.h"
#include "llmproxy/waiting.h"
#include "translate/take_response.h"

namespace llmproxy::gateway {
namespace {

/// Answers of this API may be kept, and are asked for by their ids.
constexpr std::string_view kStatefulDialect = "openai-responses";

Result<ParsedRequest> parse(const Exchange& exchange, std::string body) {
  RequestHead head;
  head.path = exchange.request.path;
  head.query = exchange.request.query;
  return ParsedRequest::parse(exchange.dialect, std::move(body), head,
                              exchange.core.parse_limits());
}

/// `before` is gone when the body that was made of it is read.
Result<ParsedRequest> parse_again(const Exchange& exchange,
                                  ParsedRequest before, std::string body) {
  { const ParsedRequest gone = std::move(before); }
  return parse(exchange, std::move(body));
}

/// Conversations that the backend does not keep: the request becomes one that
/// says everything, and the answer will be stored.
Result<ParsedRequest> with_state(const Exchange& exchange, ParsedRequest parsed,
                                 Call& call) {
  if (call.client->name != kStatefulDialect) return parsed;
  if (call.same_dialect() && !is_demo(*call.backend) &&
      !goes_on_from_store(exchange, parsed)) {
    return parsed;
  }
  std::optional<std::string> whole;
  LLMPROXY_ASSIGN(call.turn, continue_turn(exchange, parsed, whole));
  if (!whole) return parsed;
  return parse_again(exchange, std::move(parsed), *std::move(whole));
}

/// The system prompt as the route wants it.
Result<ParsedRequest> with_edits(const Exchange& exchange, ParsedRequest parsed,
                                 const SystemEdits& edits) {
  if (edits.empty()) return parsed;
  LLMPROXY_ASSIGN(std::string body, edit_system(parsed, edits));
  if (body == parsed.body()) return parsed;
  return parse_again(exchange, std::move(parsed), std::move(body));
}

/// Frees the request once it is read, unless it may be wanted again: it holds
/// images by URL.
Result<void> translate(const Exchange& exchange, ParsedRequest& request,
                       const std::string& model, Call& call,
                       RequestImages& images) {
  LLMPROXY_ASSIGN(
      TranslatedRequest translated,
      translate_request(std::move(request), *call.upstream,
                        options_for(exchange, call, model, images)));
  call.request = upstream_request(*call.backend, translated);
  pass_headers(exchange, call);
  LLMPROXY_TRY(see_off(exchange, *call.backend, call.request));
  call.context = std::move(translated.context);
  call.losses = std::move(translated.losses);
  return {};
}

/// What a call is made of.
struct Asked {
  std::optional<ParsedRequest> request;
  std::string model;  ///< to be asked for
};

Result<void> prepare(Exchange& exchange, RequestImages& images, Asked& asked,
                     Call& call) {
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
  if (backend == nullptr) {
    return unknown_model(exchange.core, parsed.model(), exchange.mount.prefix);
  }

  choose_backend(exchange, *backend, call);
  call.route = target->route;
  call.client = &exchange.dialect;
  call.upstream =
      call.backend->dialect ? call.backend->dialect : &exchange.dialect;
  call.stream = parsed.stream();
  LLMPROXY_ASSIGN(parsed, with_state(exchange, std::move(parsed), call));
  LLMPROXY_ASSIGN(
      parsed, with_edits(exchange, std::move(parsed), target->route->system));
  record.backend = call.backend->name;
  record.upstream_model = short_name(target->model);
  Reading reading = read_for_limits(exchange, parsed);
  LLMPROXY_TRY(translate(exchange, parsed, target->model, call, images));
  LLMPROXY_TRY(reserve(exchange, std::move(reading), record.backend));
  asked.request = std::move(parsed);
  asked.model = target->model;
  return {};
}

/// Everything that goes out, into `call`.
Result<void> make_call(Exchange& exchange, Call& call) {
  RequestImages images(exchange.core.config().images, exchange.images);
  Asked asked;
  LLMPROXY_TRY(run_sized(exchange.request.body.size(), [&] {
    return prepare(exchange, images, asked, call);
  }));
  if (images.wanted()) {
    const std::size_t bytes = asked.request->body().size();
    LLMPROXY_TRY(complete_images(exchange, images, bytes, [&] {
      return translate(exchange, *asked.request, asked.model, call, images);
    }));
  }
  exchange.answer.record().losses = call.losses.size();
  return {};
}

/// Keeps a whole answer.
class Collector final : public ResponseHandler {
 public:
  explicit Collector(const Core& core)
      : max_bytes_(core.config().upstream.max_answer_bytes) {
    answer_.lease = ByteLease(&core.budget());
  }

  void on_head(int status, const Headers& headers) override {
    answer_.status = status;
    answer_.headers = headers;
  }
  Flow on_body(std::string_view bytes) override {
    return collect(bytes, max_bytes_, answer_);
  }
  void on_done(const Result<void>& result) override { result_ = result; }

  Result<UpstreamAnswer> take() {
    const bool error = answer_.status != 0 && !is_success(answer_.status);
    if (answer_.no_room && !error) return no_room();
    if (answer_.cut && !error) return too_large_answer(max_bytes_);
    // The status says more than a broken body behind it.
    if (!result_ && !error) return result_.error();
    remove_bom(answer_.body);
    return std::move(answer_);
  }

 private:
  const std::size_t max_bytes_;
  UpstreamAnswer answer_;
  Result<void> result_;
};

/// Asked of each answer that is passed on: std::string::find stops at each
/// quote.
bool holds_error(std::string_view body) {
  constexpr std::string_view kMember = "\"error\"";
  static const std::boyer_moore_horspool_searcher finder(kMember.begin(),
                                                         kMember.end());
  return std::search(body.begin(), body.end(), finder) != body.end();
}

void relay_answer(Exchange& exchange, Call& call, UpstreamAnswer upstream) {
  const BodyForm form = form_of(upstream.body);
  Result<TranslatedResponse> translated = run_sized(upstream.body.size(), [&] {
    return take_response(*call.upstream, *call.client, std::move(upstream.body),
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
    Error error = unreadable_answer(form, upstream.headers, translated.error());
    redact(*call.backend, exchange.request, error.message);
    return answer.send_error(*call.client, error, std::move(headers));
  }
  note_usage(translated->usage, answer.record());
  answer.record().losses = losses.size();
  if (translated->losses.size() > 0) tell_losses(exchange, translated->losses);
  std::string body = std::move(translated->body);
  // An error in an answer of success is passed on as it is.
  if (call.same_dialect() && holds_error(body)) {
    redact(*call.backend, exchange.request, body);
  }
  if (call.turn) {
    if (call.same_dialect()) {
      AnswerIdChange(call.context.answer_id).apply_to_answer(body);
    }
    store_turn(exchange, *std::move(call.turn), body);
  }
  // Other dialects may say the same at greater length.
  const std::size_t leased = upstream.lease.bytes();
  if (body.size() > leased && !upstream.lease.grow(body.size() - leased)) {
    return answer.send_error(*call.client, no_room(), std::move(headers));
  }
  answer.send_json(upstream.status, std::move(headers), body);
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
  if (call.as_client && exchange.has_version) {
    own->path_prefix = version_of(exchange.request.path);
  }
  call.own_backend = std::move(own);
  call.backend = call.own_backend.get();
}

void pass_headers(const Exchange& exchange, Call& call) {
  if (!call.same_dialect()) return;
  const ServerConfig& server = exchange.core.config().server;
  Headers& out = call.request.headers;
  const Headers& configured = call.backend->headers;
  forward_request_headers(*call.client, exchange.request.headers, configured,
                          out);
  if (!call.lends_key && !call.as_client) return;
  const OwnCredentials own =
      call.lends_key ? OwnCredentials::passed : OwnCredentials::dropped;
  const Headers passable = passable_headers(server, exchange.request, own);
  const bool as_sent =
      call.lends_key && (call.as_client || has_credential(passable));
  if (as_sent) {
    std::erase_if(out, [&](const Header& header) {
      return is_credential_header(header.name) &&
             find_header(configured, header.name).empty();
    });
  }
  for (const Header& header : passable) {
    const bool wanted =
        is_credential_header(header.name) ? as_sent : call.as_client;
    if (wanted) add_client_header(header, out);
  }
  if (!call.as_client) return;
  const std::string query = passable_query(server, exchange.request, own);
  std::string& url = call.request.url;
  // Where the path has a query already the client's said the same.
  if (!query.empty() && url.find('?') == std::string::npos) url += "?" + query;
}

TranslateOptions options_for(const Exchange& exchange, const Call& call,
                             const std::string& model, RequestImages& images) {
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
  if (call.client != nullptr && call.client->name == kStatefulDialect) {
    options.answer_id = new_answer_id();
  }
  options.fetch_image = images.source();
  return options;
}

Result<void> complete_images(Exchange& exchange, RequestImages& images,
                             std::size_t bytes,
                             const std::function<Result<void>()>& translate) {
  if (!images.wanted()) return {};
  Result<void> done = images.fetch(exchange);
  if (done) done = run_sized(bytes, translate);
  if (!done) refuse_reserved(exchange);
  return done;
}

void refuse_call(Exchange& exchange, const Dialect& dialect,
                 const Error& error) {
  if (error.kind == ErrorKind::cancelled) {
    return exchange.answer.note_client_gone();
  }
  exchange.answer.send_error(dialect, error);
}

Result<UpstreamAnswer> fetch_whole(Exchange& exchange, Call& call) {
  Collector collector(exchange.core);
  const Ending& ending = exchange.core.ending();
  exchange.core.transport_for(*call.backend)
      .perform(call.request, collector,
               [&] { return ending.begun() || exchange.answer.client_gone(); });
  std::string().swap(call.request.body);
  Result<UpstreamAnswer> answer = collector.take();
  if (!answer && ending.begun()) return Ending::error();
  return answer;
}

void relay_whole(Exchange& exchange, Call& call,
                 Result<UpstreamAnswer> upstream) {
  Answer& answer = exchange.answer;
  if (!upstream) {
    if (answer.client_gone()) return answer.note_client_gone();
    Error error = at_backend(*call.backend, upstream.error());
    redact(*call.backend, exchange.request, error.message);
    return answer.send_error(*call.client, error,
                             answer_headers(exchange, call, {}, call.losses));
  }
  if (!is_success(upstream->status)) {
    return relay_error(exchange, call, *std::move(upstream));
  }
  relay_answer(exchange, call, *std::move(upstream));
}

void when_free(Exchange& exchange, const Backend& backend,
               const std::function<void()>& work) {
  Slots& slots = exchange.core.slots();
  Answer& answer = exchange.answer;
  const Ending& ending = exchange.core.ending();
  const bool free = slots.take(backend.deadlines.first_byte, [&] {
    return ending.begun() || answer.client_gone();
  });
  if (!free) {
    if (answer.client_gone()) return answer.note_client_gone();
    if (ending.begun()) {
      return answer.send_error(exchange.dialect, Ending::error());
    }
    Error error;
    error.kind = ErrorKind::overloaded;
    error.message = "too many requests are being answered; try again";
    error.retry_after = "1";
    return answer.send_error(exchange.dialect, error);
  }
  const SlotGuard guard(slots);
  work();
}

void answer_whole(Exchange& exchange, Call& call) {
  relay_whole(exchange, call, fetch_whole(exchange, call));
}

void answer_chat(Exchange& exchange) {
  Call call;
  const Result<void> made = make_call(exchange, call);
  if (!made) return refuse_call(exchange, exchange.dialect, made.error());
  tell_call(exchange, call);
  when_free(exchange, *call.backend, [&] {
    if (call.stream) {
      StreamCall(exchange, call).run();
    } else {
      answer_whole(exchange, call);
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
  redact(*call.backend, exchange.request, upstream.headers);
  Answer& answer = exchange.answer;
  Headers headers =
      answer_headers(exchange, call, upstream.headers, call.losses);
  if (upstream.status < 400) {
    return answer.send_error(*call.client, no_answer(upstream),
                             std::move(headers));
  }
  const TranslatedError translated =
      explained(exchange, call, upstream,
                translate_error(*call.upstream, *call.client, upstream.status,
                                upstream.headers, upstream.body));
  add_retry_after(*call.client, translated.error, headers);
  answer.send_json(translated.status, std::move(headers), translated.body);
}

void note_usage(const Usage& usage, RequestRecord& record) {
  record.input_tokens = usage.input_tokens;
  record.output_tokens = usage.output_tokens;
  record.cached_tokens = usage.cached_input_tokens;
}

}  // namespace llmproxy::gateway
