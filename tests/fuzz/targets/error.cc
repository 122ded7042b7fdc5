// Failures of upstreams, and of our own, in the words of every dialect.
#include "fuzz/kit/properties.h"
#include "json/json.h"

namespace llmproxy::fuzz {
namespace {

constexpr std::size_t kMostGrowth = 16;

void expect_written(const TranslatedError& sent, const Dialect& to,
                    std::string_view body) {
  expect(sent.status >= 400 && sent.status <= 599, "the status is an error's",
         std::to_string(sent.status));
  expect_object(sent.body, "the error");
  expect_bounded(body.size(), sent.body.size(), kMostGrowth, "the error");
  json::Document document;
  const auto root = document.parse(sent.body);
  expect(to.is_error(*root), "its clients see an error", sent.body);
  const Error again = to.decode_error(sent.status, {}, sent.body);
  expect(!again.message.empty(), "an error has a message", sent.body);
}

void run(Input& input) {
  const Pair pair = choose_pair(input);
  constexpr int kStatuses[] = {400, 401, 402, 403, 404, 408, 413, 422,
                               429, 499, 500, 502, 503, 504, 529, 0,
                               200, 302, 418, 599, 600, 999, -1,  100};
  const int status = kStatuses[input.below(std::size(kStatuses))];
  const std::string_view body = input.rest();
  Headers headers;
  if (input.flag()) headers.push_back({"retry-after", "7"});
  if (input.flag()) headers.push_back({"x-request-id", "req-1"});
  if (input.flag()) {
    headers.push_back({"retry-after", std::string(body.substr(0, 40))});
  }
  const TranslatedError sent =
      translate_error(*pair.from, *pair.to, status, headers, body);
  expect_written(sent, *pair.to, body);
  expect_error_text(sent.error);

  Error own;
  own.kind = static_cast<ErrorKind>(
      input.below(static_cast<std::size_t>(kLastErrorKind) + 1));
  own.message = body;
  own.path = input.flag() ? std::string(body) : "";
  own.status = status;
  own.code = input.flag() ? std::string(body) : "";
  expect_written(write_error(*pair.to, own), *pair.to, body);
}

const Registered kRegistered({"error", Form::json, 8192, run});

}  // namespace
}  // namespace llmproxy::fuzz
