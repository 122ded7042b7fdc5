// account_lines: translates what the lines of its input say, one answer a
// line, until the input ends. The generator and the checker of tests/account
// are in Python and see nothing of this library but that.
//
//   {"noun": "request", "from": "claude", "to": "gemini", "model": "m",
//    "strict": true, "body": {...}}
//   {"noun": "answer", "from": ..., "to": ..., "body": {...},
//    "asked": {...}}        the client's request, which is of the dialect `to`
//   {"noun": "stream", "from": ..., "to": ..., "asked": {...},
//    "chunks": ["<base64>", ...], "keep_alive": true}
//   {"noun": "error", "from": ..., "to": ..., "status": 429, "body": {...}}
//
// Answers: {"body": ..., "losses": [[path, kind, what], ...],
// "strict": "<refusal>" or null}, or {"error": ..., "path": ...}. Where "from"
// is "to", through the canonical form all the same.
#include <iostream>
#include <string>

#include "base/text.h"
#include "json/json.h"
#include "json/writer.h"
#include "llmproxy/translate.h"

namespace llmproxy {
namespace {

using json::Value;

constexpr std::int64_t kNow = 1700000000;

struct Job {
  const Dialect* from = nullptr;
  const Dialect* to = nullptr;
  Value line;

  std::string body() const {
    const Value body = line["body"];
    return std::string(body.is_string() ? body.string() : body.raw());
  }
  /// What the path says, for dialects that keep the model there.
  RequestHead head(const Dialect& dialect) const {
    RequestHead head;
    if (!dialect.model_in_path()) return head;
    const Value model = line["model"];
    head.model = model.is_string() ? model.string() : "model";
    head.stream = line["stream"].is_true();
    return head;
  }
};

TranslateOptions options_of(const Job& job) {
  TranslateOptions options;
  options.created = kNow;
  options.answer_id = job.line["answer_id"].string();
  options.drop_hosted_tools = job.line["drop_hosted_tools"].is_true();
  options.clamp_sampling = job.line["clamp_sampling"].is_true();
  options.drop_prefill = job.line["drop_prefill"].is_true();
  return options;
}

void write_error(json::Writer& out, const Error& error) {
  out.member("error", error.message);
  out.member("kind", to_string(error.kind));
  out.member("path", error.path);
}

void write_losses(json::Writer& out, const Losses& losses) {
  out.begin_array("losses");
  for (const Loss& loss : losses) {
    out.begin_array();
    out.string(loss.path);
    out.string(to_string(loss.kind));
    out.string(loss.what);
    out.end_array();
  }
  out.end_array();
}

/// Answers depend on the client's request; without one, a client that wants
/// everything is assumed.
Result<RequestContext> context_of(const Job& job) {
  const Value asked = job.line["asked"];
  if (asked.absent()) {
    RequestContext context;
    context.stream = job.line["noun"].string() == "stream";
    context.include_usage = true;
    context.created = kNow;
    context.answer_id = options_of(job).answer_id;
    return context;
  }
  LLMPROXY_ASSIGN(const ParsedRequest parsed,
                  ParsedRequest::parse(*job.to, std::string(asked.raw()),
                                       job.head(*job.to)));
  return request_context(parsed, *job.from, options_of(job));
}

void run_request(const Job& job, json::Writer& out) {
  TranslateOptions options = options_of(job);
  const std::string body = job.body();
  const RequestHead head = job.head(*job.from);
  const auto sent = translate_request(*job.from, *job.to, body, options, head);
  if (!sent) return write_error(out, sent.error());
  out.member("body", sent->body);
  out.member("target", sent->target());
  write_losses(out, sent->losses);
  if (!job.line["strict"].is_true()) return;
  options.strict = true;
  const auto strict =
      translate_request(*job.from, *job.to, body, options, head);
  if (strict) return out.member_null("strict");
  out.member("strict", strict.error().message);
}

void run_answer(const Job& job, json::Writer& out) {
  const Result<RequestContext> context = context_of(job);
  if (!context) return write_error(out, context.error());
  const auto answer =
      translate_response(*job.from, *job.to, job.body(), *context);
  if (!answer) return write_error(out, answer.error());
  out.member("body", answer->body);
  write_losses(out, answer->losses);
}

void run_stream(const Job& job, json::Writer& out) {
  Result<RequestContext> context = context_of(job);
  if (!context) return write_error(out, context.error());
  StreamTranslator translator(*job.from, *job.to, std::move(*context));
  const bool keep_alive = job.line["keep_alive"].is_true();
  std::string bytes;
  for (const Value chunk : job.line["chunks"].children()) {
    translator.feed(decode_base64(chunk.string()).value_or(""), bytes);
    if (keep_alive && translator.started()) translator.keep_alive(bytes);
  }
  translator.finish(bytes);
  out.member("bytes", encode_base64(bytes));
  out.member("done", translator.done());
  write_losses(out, translator.losses());
  if (const Error* error = translator.error()) write_error(out, *error);
}

void run_error(const Job& job, json::Writer& out) {
  const int status =
      static_cast<int>(job.line["status"].integer().value_or(500));
  const TranslatedError error =
      translate_error(*job.from, *job.to, status, {}, job.body());
  out.member("body", error.body);
  out.member("status", std::int64_t{error.status});
  write_losses(out, {});
}

struct NounRow {
  std::string_view word;
  void (*run)(const Job& job, json::Writer& out);
};
constexpr NounRow kNouns[] = {{"request", run_request},
                              {"answer", run_answer},
                              {"stream", run_stream},
                              {"error", run_error}};

bool run_line(const std::string& text, std::string& answer) {
  json::Document document;
  const Result<Value> line = document.parse_view(text);
  if (!line) return false;
  Job job{find_dialect((*line)["from"].string()),
          find_dialect((*line)["to"].string()), *line};
  if (job.from == nullptr || job.to == nullptr) return false;
  // Of one dialect on both sides the bytes would pass untouched; of a twin of
  // it all is read and written anew.
  const Dialect twin = *job.from;
  if (job.from == job.to) job.from = &twin;
  for (const NounRow& row : kNouns) {
    if (row.word != (*line)["noun"].string()) continue;
    json::Writer out(answer);
    out.begin_object();
    row.run(job, out);
    out.end_object();
    return true;
  }
  return false;
}

int run() {
  std::ios::sync_with_stdio(false);
  std::string text;
  while (std::getline(std::cin, text)) {
    std::string answer;
    if (!run_line(text, answer)) {
      std::cerr << "account_lines: no such line: " << text << '\n';
      return 2;
    }
    std::cout << answer << '\n' << std::flush;
  }
  return 0;
}

}  // namespace
}  // namespace llmproxy

int main() { return llmproxy::run(); }
