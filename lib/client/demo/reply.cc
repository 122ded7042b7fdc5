// Decodes the request with its dialect, asks the model, encodes the answer.
#include "client/demo/reply.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "chat/turns.h"
#include "client/demo/embeddings.h"
#include "client/demo/faults.h"
#include "client/demo/model.h"
#include "llmproxy/stream.h"
#include "llmproxy/translate.h"

namespace llmproxy::demo {
namespace {

// "demo:/v1/messages?beta=true" ends in the path of the claude dialect. Of
// two that fit, the longer one is meant.
const Dialect* dialect_of(std::string_view url) {
  const Dialect* found = nullptr;
  for (const Dialect* dialect : dialects()) {
    if (!match_upstream(*dialect, url)) continue;
    if (found == nullptr ||
        dialect->upstream_path.size() > found->upstream_path.size()) {
      found = dialect;
    }
  }
  return found;
}

Reply error_reply(const Dialect& dialect, const Error& error) {
  TranslatedError written = write_error(dialect, error);
  Reply reply;
  reply.status = written.status;
  reply.headers = {{"content-type", "application/json"}};
  if (!error.retry_after.empty()) {
    reply.headers.push_back({"retry-after", error.retry_after});
  }
  reply.pieces.push_back(std::move(written.body));
  return reply;
}

/// What is asked of "demo:/v1/files?key=k"; without the query, which may hold a
/// key.
std::string shown_path(std::string_view url) {
  constexpr std::size_t kMax = 200;
  url = url.substr(0, url.find('?'));
  url.remove_prefix(std::min(url.find(':') + 1, url.size()));
  std::string out(url.substr(0, kMax));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c <= ' ' || c > '~'; }, '_');
  return out.empty() ? "/" : out;
}

Error error_of(const DemoFault& fault) {
  Error error;
  error.kind = error_kind_from_status(fault.status);
  error.status = fault.status;
  error.fault = Fault::upstream;
  error.message = "The demo model fails like this on demand.";
  error.retry_after = fault.retry_after;
  return error;
}

/// How an answer of this model goes wrong on its way; null = it does not.
/// Errors: those of models that answer with nothing else, and of names that no
/// model has.
Result<const DemoFault*> fault_of(std::string_view model) {
  LLMPROXY_TRY(check_model(model));
  const DemoFault* fault = find_fault(model);
  if (fault != nullptr && fault->status != 0) return error_of(*fault);
  return fault;
}

/// Encodes events, one piece each.
class Pieces final : public EventSink {
 public:
  Pieces(StreamEncoder& encoder, std::vector<std::string>& out)
      : encoder_(encoder), out_(out) {}
  void on_event(const StreamEvent& event) override {
    std::string piece;
    encoder_.on_event(event, piece);
    if (!piece.empty()) out_.push_back(std::move(piece));
  }

 private:
  StreamEncoder& encoder_;
  std::vector<std::string>& out_;
};

Reply answer_reply(const Dialect& dialect, const ChatResponse& response,
                   const RequestContext& context) {
  Reply reply;
  if (context.stream) {
    reply.headers = {
        {"content-type", std::string(dialect.stream_content_type)}};
    const auto encoder = dialect.new_stream_encoder(context);
    Pieces pieces(*encoder, reply.pieces);
    replay(response, pieces, /*words=*/true);
    return reply;
  }
  reply.headers = {{"content-type", "application/json"}};
  Losses losses;
  std::string body;
  dialect.encode_response(response, context, body, losses);
  reply.pieces.push_back(std::move(body));
  return reply;
}

// Half of the pieces, the last of them cut in the middle.
void cut(Reply& reply) {
  const std::size_t half = (reply.pieces.size() + 1) / 2;
  reply.pieces.resize(half);
  std::string& last = reply.pieces.back();
  last.resize(last.size() / 2);
  Error error;
  error.kind = ErrorKind::upstream_truncated;
  error.fault = Fault::upstream;
  error.message = "the demo upstream broke off on demand";
  reply.end = std::move(error);
}

RequestContext context_of(const ChatRequest& request, std::int64_t created) {
  RequestContext context;
  context.stream = request.stream;
  context.include_usage = request.include_usage;
  context.legacy_functions = request.legacy_functions;
  context.model = request.model;
  context.stop_sequences = request.stop_sequences;
  context.created = created;
  return context;
}

/// Path and query of a URL.
RequestHead head_of(std::string_view url) {
  const std::size_t path = std::min(url.find('?'), url.size());
  const std::size_t query = std::min(path + 1, url.size());
  return {.path = url.substr(0, path), .query = url.substr(query)};
}

Result<Reply> decoded_reply(const Dialect& dialect, std::string body,
                            std::string_view url, std::int64_t created) {
  LLMPROXY_ASSIGN(const ParsedRequest parsed,
                  ParsedRequest::parse(dialect, std::move(body), head_of(url)));
  LLMPROXY_ASSIGN(const ChatRequest request, parsed.decode());
  LLMPROXY_TRY(refuse_essential(request.extensions));
  LLMPROXY_ASSIGN(const DemoFault* const fault, fault_of(request.model));
  ChatResponse response = answer(request);
  response.created = created;
  RequestContext context = context_of(request, created);
  context.json_array = parsed.json_array();
  context.echo = parsed.echo();
  Reply reply = answer_reply(dialect, response, context);
  if (fault == nullptr) return reply;
  reply.pace = fault->pace;
  if (fault->cut) cut(reply);
  return reply;
}

Result<Reply> embeddings_reply(const EmbeddingsPath& path,
                               const UpstreamRequest& request) {
  LLMPROXY_ASSIGN(Embeddings found, embed(path, request.url, request.body));
  LLMPROXY_ASSIGN(const DemoFault* const fault, fault_of(found.model));
  Reply reply;
  reply.headers = {{"content-type", "application/json"}};
  reply.pieces.push_back(std::move(found.body));
  if (fault == nullptr) return reply;
  reply.pace = fault->pace;
  if (fault->cut) cut(reply);
  return reply;
}

}  // namespace

Reply reply_to(const UpstreamRequest& request, std::int64_t created) {
  if (const EmbeddingsPath* path = find_embeddings(request.url)) {
    Result<Reply> reply = embeddings_reply(*path, request);
    if (!reply) return error_reply(dialect_of(*path), reply.error());
    return *std::move(reply);
  }
  const Dialect* dialect = dialect_of(request.url);
  if (dialect == nullptr) {
    Error error;
    error.kind = ErrorKind::not_found;
    error.code = "unknown_url";  // not a model
    error.message = fmt::format(
        "the demo has no path {}; it answers chats and embeddings only",
        shown_path(request.url));
    return error_reply(*dialects().front(), error);
  }
  Result<Reply> reply =
      decoded_reply(*dialect, request.body, request.url, created);
  if (!reply) return error_reply(*dialect, reply.error());
  return *std::move(reply);
}

}  // namespace llmproxy::demo
