// translate: the sans-I/O heart. Bytes of one dialect in, bytes of another
// out. No sockets, clocks, threads or globals; link llmproxy::core alone.
//
// Not thread-safe per object; independent objects may be used in parallel.
// Where both dialects are the same, requests keep every byte but the model,
// and streams are passed on as they come.
//
//   const Dialect& openai = *find_dialect("openai-chat");
//   const Dialect& claude = *find_dialect("claude");
//   auto sent = translate_request(openai, claude, body);
//   ... send sent->method, base URL + sent->target(), sent->headers, your key
//       and sent->body by your own HTTP client; read bytes ...
//   StreamTranslator stream(claude, openai, sent->context);
//   stream.feed(bytes, out);      // as often as bytes come
//   stream.finish(out);           // the upstream closed
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "llmproxy/dialect.h"
#include "llmproxy/export.h"
#include "llmproxy/parse_limits.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// What a translation may be told.
struct TranslateOptions {
  /// Refuse (400, unsupported) what cannot be carried exactly.
  bool strict = false;
  /// Model to ask upstream; empty = the client's.
  std::string model = {};
  /// What that model takes; absent = traits_for(to, model).
  std::optional<TargetTraits> traits = {};
  /// As EncodeOptions::clamp_sampling.
  bool clamp_sampling = false;
  /// As EncodeOptions::drop_hosted_tools.
  bool drop_hosted_tools = false;
  /// As EncodeOptions::drop_prefill.
  bool drop_prefill = false;
  /// Unix seconds to stamp answers with; 0 = none.
  std::int64_t created = 0;
  /// Id where upstreams give none; "resp_..." is taken in any case.
  std::string answer_id = {};
  /// Gets the bytes of an image for targets that do not fetch images by URL;
  /// called with the URL. Absent = such images are refused.
  std::function<Result<MediaSource>(const std::string& url)> fetch_image = {};
};

/// A client's request body, parsed once: enough to route it, and to
/// translate or pass it on afterwards. Movable; owns its text.
class ParsedRequest {
 public:
  /// Errors: invalid_request with the place, for anything that is not a JSON
  /// object with a usable `model`. Dialects that keep the model in the path
  /// read it from `head`: its path (the client's or the upstream's form), or
  /// its model. request_too_large for more values than `limits` allow.
  static Result<ParsedRequest> parse(const Dialect& dialect, std::string body,
                                     const RequestHead& head = {},
                                     const ParseLimits& limits = {});
  /// What was moved from may only be destroyed or assigned to.
  ParsedRequest(ParsedRequest&&) noexcept;
  /// The same.
  ParsedRequest& operator=(ParsedRequest&&) noexcept;
  ~ParsedRequest();

  /// Dialect it was parsed as.
  const Dialect& dialect() const;
  /// Model the client asks for. Lives as long as this object.
  std::string_view model() const;
  /// The client wants a stream.
  bool stream() const;
  /// The stream is wanted as one JSON array.
  bool json_array() const;
  /// See Dialect::echo.
  RawJson echo() const;
  /// The body as it came.
  std::string_view body() const;
  /// The canonical form. Every mistake in the body is found here.
  Result<ChatRequest> decode() const;
  /// The body with only the model replaced, every other byte untouched.
  std::string with_model(std::string_view model) const&;
  /// The same without a copy; what is left may only be destroyed.
  std::string with_model(std::string_view model) &&;
  /// The body as it came, given up; what is left may only be destroyed.
  std::string take_body() &&;

 private:
  friend struct ParsedRoot;
  struct State;
  explicit ParsedRequest(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What to send upstream, and what to keep for the answer. With a base URL in
/// front of target() and the key beside `headers` it is a whole request.
struct TranslatedRequest {
  std::string method = "POST";  ///< in capitals
  /// Behind the provider's base URL, as the vendor writes that:
  /// "/models/gemini-2.5-pro:streamGenerateContent".
  std::string path = {};
  std::string query = {};  ///< "alt=sse", without "?"; mostly empty
  /// Content type, what is accepted, and what the dialect demands
  /// (anthropic-version): as upstream_headers(). No key, no length.
  Headers headers = {};
  std::string body = {};        ///< JSON
  RequestContext context = {};  ///< for StreamTranslator or translate_response
  Losses losses = {};           ///< of the request

  /// Path and query as they stand behind the base URL: "<path>?<query>".
  std::string target() const;
};

/// Errors: invalid_request (400) for a bad body, unsupported (400) for what
/// the target cannot do.
Result<TranslatedRequest> translate_request(
    const ParsedRequest& request, const Dialect& to,
    const TranslateOptions& options = {});
/// The same for a request that nobody else needs: it is freed once it is
/// read, so that a large body is not in memory three times. One with images by
/// URL stays as it is: their bytes may be got first and this asked again.
Result<TranslatedRequest> translate_request(
    ParsedRequest&& request, const Dialect& to,
    const TranslateOptions& options = {});
/// The same for a body that was not parsed yet.
Result<TranslatedRequest> translate_request(
    const Dialect& from, const Dialect& to, std::string_view body,
    const TranslateOptions& options = {}, const RequestHead& head = {});

/// What to send to the client, and what is worth knowing of it.
struct TranslatedResponse {
  std::string body = {};                          ///< JSON
  Losses losses = {};                             ///< of the answer
  Usage usage = {};                               ///< as the upstream counted
  StopReason stop_reason = StopReason::end_turn;  ///< why the model stopped
};

/// `from` is what the upstream sent, `to` what the client gets. Errors:
/// upstream_malformed.
Result<TranslatedResponse> translate_response(
    const Dialect& from, const Dialect& to, std::string_view body,
    const RequestContext& context = {});

/// An error answer for the client.
struct TranslatedError {
  int status = 500;  ///< for the client
  /// JSON, in the client's dialect.
  std::string body = {};
  Error error = {};  ///< what it was
};

/// An upstream's error answer, as the client's dialect writes it.
TranslatedError translate_error(const Dialect& from, const Dialect& to,
                                int status, const Headers& headers,
                                std::string_view body);
/// Our own error, as the client's dialect writes it.
TranslatedError write_error(const Dialect& to, const Error& error);

/// The context of a client's request as it would be sent to `to`; for those
/// who translate answers without having translated the request.
Result<RequestContext> request_context(const ParsedRequest& request,
                                       const Dialect& to,
                                       const TranslateOptions& options = {});

/// One stream from an upstream to a client. Output is appended to `out`,
/// always whole events: a keep-alive may be put between any two calls.
class StreamTranslator {
 public:
  /// `from` is what the upstream sends, `to` what the client gets. `context`
  /// is that of the client's request.
  StreamTranslator(const Dialect& from, const Dialect& to,
                   RequestContext context = {});
  /// What was moved from may only be destroyed.
  StreamTranslator(StreamTranslator&&) noexcept;
  ~StreamTranslator();

  /// Bytes of the upstream's, cut anywhere; what they make is appended.
  void feed(std::string_view bytes, std::string& out);
  /// The upstream closed its side.
  void finish(std::string& out);
  /// The transfer failed: timeout, reset, cancelled.
  void fail(const Error& error, std::string& out);
  /// Appends what keeps a silent connection open and means nothing to the
  /// client; nothing once done().
  void keep_alive(std::string& out);

  /// Something of the answer was seen, so that it can be promised to the
  /// client. Comments alone do not count, though they are passed on.
  bool started() const;
  /// A terminal event was written; nothing more will be.
  bool done() const;
  /// Set once the stream failed.
  const Error* error() const;
  /// The failure came before anything of the answer: the caller may throw
  /// `out` away and send a proper HTTP error, or try another upstream.
  bool failed_before_start() const;
  /// So far; complete when done().
  const Usage& usage() const;
  /// Why the model stopped; complete when done().
  StopReason stop_reason() const;
  /// Of the answer, so far.
  Losses losses() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
