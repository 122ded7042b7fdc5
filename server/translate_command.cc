// `llm-proxy translate`: the translation core between two pipes; also how a
// fault is reported: the input, the command, the output.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "llmproxy/translate.h"
#include "server/commands.h"
#include "server/json_object.h"

namespace llmproxy {
namespace {

// For those who translate a body alone and do not care.
constexpr std::string_view kSomeModel = "model";

struct Job {
  const TranslateArguments& arguments;
  const Dialect& from;
  const Dialect& to;
  TranslateOptions options;
};

Result<const Dialect*> dialect_named(const std::string& name) {
  if (const Dialect* dialect = find_dialect(name)) return dialect;
  std::string known;
  for (const Dialect* dialect : dialects()) {
    if (!known.empty()) known += ", ";
    known += dialect->name;
  }
  return invalid_request(
      fmt::format("no dialect is called \"{}\"; there are {}", name, known));
}

/// What is there on standard input, at least one byte; empty = its end.
Result<std::string_view> read_some(std::span<char> buffer) {
  ssize_t got;
  do {
    got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0)
    return invalid_request(
        fmt::format("cannot read standard input: {}", std::strerror(errno)));
  return std::string_view(buffer.data(), static_cast<std::size_t>(got));
}

Result<std::string> read_all() {
  std::string all;
  std::array<char, 1 << 16> buffer;
  for (;;) {
    LLMPROXY_ASSIGN(const std::string_view bytes, read_some(buffer));
    if (bytes.empty()) return all;
    all += bytes;
  }
}

void write_out(std::string_view bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  std::fflush(stdout);
}

void print_losses(const Losses& losses) {
  for (const Loss& loss : losses) {
    JsonObject line;
    line.text("path", loss.path);
    line.text("what", loss.what);
    line.text("kind", to_string(loss.kind));
    fmt::print(stderr, "{}\n", line.take());
  }
}

/// What the path says where the model is in the path.
RequestHead head_of(const TranslateArguments& arguments) {
  RequestHead head;
  head.path =
      std::string_view(arguments.path).substr(0, arguments.path.find('?'));
  if (head.path.size() < arguments.path.size()) {
    head.query = std::string_view(arguments.path).substr(head.path.size() + 1);
  }
  if (head.path.empty()) {
    head.model = arguments.model.empty() ? kSomeModel : arguments.model;
    head.stream = arguments.stream;
  }
  return head;
}

/// What the answer's translation must know of the client's request.
Result<RequestContext> context_of(const Job& job) {
  RequestContext context;
  context.model = job.arguments.model;
  if (job.arguments.request_file.empty()) return context;
  std::ifstream file(job.arguments.request_file, std::ios::binary);
  if (!file)
    return invalid_request(fmt::format("cannot read {}: {}",
                                       job.arguments.request_file,
                                       std::strerror(errno)));
  std::ostringstream body;
  body << file.rdbuf();
  LLMPROXY_ASSIGN(const ParsedRequest request,
                  ParsedRequest::parse(job.to, std::move(body).str(),
                                       head_of(job.arguments)));
  return request_context(request, job.from, job.options);
}

/// As the vendor's own host serves it: the dialect's endpoint shows what
/// stands before the path.
std::string full_path(const Dialect& dialect, std::string_view path) {
  const std::string_view own = dialect.client_paths.front().pattern;
  const std::size_t prefix = own.rfind(dialect.upstream_path);
  if (prefix == std::string_view::npos) return std::string(path);
  return fmt::format("{}{}", own.substr(0, prefix), path);
}

Result<int> translate_one_request(const Job& job) {
  LLMPROXY_ASSIGN(const std::string body, read_all());
  LLMPROXY_ASSIGN(const TranslatedRequest request,
                  translate_request(job.from, job.to, body, job.options,
                                    head_of(job.arguments)));
  if (job.arguments.head) {
    write_out(fmt::format("POST {}\ncontent-type: application/json\n\n",
                          full_path(job.to, request.target())));
  }
  write_out(request.body);
  print_losses(request.losses);
  return kExitOk;
}

Result<int> translate_one_response(const Job& job) {
  LLMPROXY_ASSIGN(const RequestContext context, context_of(job));
  LLMPROXY_ASSIGN(const std::string body, read_all());
  LLMPROXY_ASSIGN(const TranslatedResponse response,
                  translate_response(job.from, job.to, body, context));
  write_out(response.body);
  print_losses(response.losses);
  return kExitOk;
}

Result<int> translate_one_stream(const Job& job) {
  LLMPROXY_ASSIGN(RequestContext context, context_of(job));
  context.stream = true;
  StreamTranslator stream(job.from, job.to, std::move(context));
  std::array<char, 1 << 14> buffer;
  std::string out;
  for (bool more = true; more;) {
    LLMPROXY_ASSIGN(const std::string_view bytes, read_some(buffer));
    more = !bytes.empty();
    out.clear();
    more ? stream.feed(bytes, out) : stream.finish(out);
    write_out(out);
  }
  print_losses(stream.losses());
  if (!stream.error()) return kExitOk;
  complain(*stream.error());
  return kExitFailed;
}

Result<int> translate_one_error(const Job& job) {
  LLMPROXY_ASSIGN(const std::string body, read_all());
  write_out(
      translate_error(job.from, job.to, job.arguments.status, {}, body).body);
  return kExitOk;
}

struct Kind {
  std::string_view name;
  Result<int> (*translate)(const Job& job);
};
constexpr Kind kKinds[] = {{"request", &translate_one_request},
                           {"response", &translate_one_response},
                           {"stream", &translate_one_stream},
                           {"error", &translate_one_error}};

Result<int> run(const TranslateArguments& arguments) {
  LLMPROXY_ASSIGN(const Dialect* from, dialect_named(arguments.from));
  LLMPROXY_ASSIGN(const Dialect* to, dialect_named(arguments.to));
  const auto* kind =
      std::find_if(std::begin(kKinds), std::end(kKinds),
                   [&](const Kind& row) { return row.name == arguments.kind; });
  if (kind == std::end(kKinds))
    return invalid_request(
        "can translate a request, response, stream or "
        "error, not \"" +
        arguments.kind + "\"");
  Job job{arguments, *from, *to, {}};
  job.options.strict = arguments.strict;
  job.options.model = arguments.model;
  return kind->translate(job);
}

}  // namespace

int translate(const TranslateArguments& arguments) {
  const Result<int> result = run(arguments);
  if (result) return *result;
  complain(result.error());
  return kExitUsage;
}

}  // namespace llmproxy
