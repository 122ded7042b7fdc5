#include "bench/micro/paths.h"

#include <cstdlib>
#include <iostream>
#include <memory>

#include "bench/micro/bodies.h"
#include "llmproxy/translate.h"

namespace llmproxy::bench {
namespace {

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::cerr << result.error().message << '\n';
  std::exit(2);
}

std::string joined(const Stream& stream) {
  std::string out;
  for (const auto* pieces : {&stream.head, &stream.deltas, &stream.tail}) {
    for (const std::string& piece : *pieces) out += piece;
  }
  return out;
}

std::string translated(const Dialect& from, const Dialect& to,
                       const Stream& stream) {
  StreamTranslator translator(from, to);
  std::string out;
  translator.feed(joined(stream), out);
  translator.finish(out);
  return out;
}

}  // namespace

Path request_path(const Dialect& from, const Dialect& to, std::size_t bytes) {
  const std::string body = request_body(from, bytes);
  const std::string model = model_of(from);
  TranslateOptions options;
  options.model = &from == &to ? "another-model" : model_of(to);
  const auto run = [&from, &to, body, model, options] {
    // A server owns the body it has read: it is given, not copied, but a
    // second run needs another one.
    const auto parsed =
        must(ParsedRequest::parse(from, std::string(body), head_of(model)));
    return must(translate_request(parsed, to, options)).body;
  };
  return {[run] { return run().size(); }, Floor({body}, {run()}), {body}};
}

Path response_path(const Dialect& from, const Dialect& to) {
  const std::string body = response_body(from);
  const auto run = [&from, &to, body] {
    return must(translate_response(from, to, body)).body;
  };
  return {[run] { return run().size(); }, Floor({body}, {run()}), {body}};
}

Path stream_path(const Dialect& from, const Dialect& to) {
  const Stream stream = stream_pieces(from, kDeltas);
  const auto run = [&from, &to, stream, out = std::string()]() mutable {
    StreamTranslator translator(from, to);
    std::size_t bytes = 0;
    for (const auto* pieces : {&stream.head, &stream.deltas, &stream.tail}) {
      for (const std::string& piece : *pieces) {
        out.clear();
        translator.feed(piece, out);
        bytes += out.size();
      }
    }
    out.clear();
    translator.finish(out);
    if (translator.error() != nullptr) std::abort();
    return bytes + out.size();
  };
  const auto input = event_texts(from, joined(stream));
  return {run, Floor(input, event_texts(to, translated(from, to, stream))),
          input, kDeltas};
}

Path event_path(const Dialect& from, const Dialect& to) {
  const Stream stream = stream_pieces(from, 1);
  auto translator = std::make_shared<StreamTranslator>(from, to);
  std::string out;
  for (const std::string& piece : stream.head) translator->feed(piece, out);
  const auto run = [translator, piece = stream.deltas.front(),
                    out = std::string()]() mutable {
    out.clear();
    translator->feed(piece, out);
    return out.size();
  };
  std::string written;
  translator->feed(stream.deltas.front(), written);
  const auto input = event_texts(from, stream.deltas.front());
  return {run, Floor(input, event_texts(to, written)), input};
}

}  // namespace llmproxy::bench
