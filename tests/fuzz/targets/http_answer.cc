// Answers over HTTP/1.1, as they come from an upstream in any pieces.
#include <algorithm>
#include <charconv>
#include <string>

#include "client/http1_answer.h"
#include "fuzz/kit/target.h"

namespace llmproxy::fuzz {
namespace {

using State = Http1Answer::State;
using Asked = Http1Answer::Asked;

/// Keeps what it is told, and has enough after so many calls; 0 = never.
class Ear final : public Http1Sink {
 public:
  explicit Ear(std::size_t enough) : enough_(enough) {}

  bool on_head(int status, Headers headers) override {
    expect(status_ == 0 && body_.empty(), "there is one head, and it is first");
    expect(status >= 200 && status <= 999, "a status has three digits");
    status_ = status;
    headers_ = std::move(headers);
    return again();
  }
  bool on_body(std::string_view bytes) override {
    expect(status_ != 0, "the head comes before the body");
    expect(!bytes.empty(), "pieces of a body are not empty");
    body_ += bytes;
    return again();
  }

  int status() const { return status_; }
  const Headers& headers() const { return headers_; }
  const std::string& body() const { return body_; }
  bool has_enough() const { return enough_ != 0 && calls_ == enough_; }

 private:
  bool again() {
    expect(!has_enough(), "who has enough is told no more");
    ++calls_;
    return !has_enough();
  }

  std::size_t enough_;
  std::size_t calls_ = 0;
  int status_ = 0;
  Headers headers_;
  std::string body_;
};

struct Asking {
  Asked asked = Asked::whole;
  bool closed = false;
  std::size_t enough = 0;
};

struct Told {
  Ear ear;
  State state = State::head;
  Http1Answer::Fault fault = Http1Answer::Fault::none;
  std::string fault_text;
  std::uint64_t missing = 0;
  bool kept = false;
  std::size_t used = 0;  ///< bytes that were fed
};

bool goes_on(State state) {
  return state == State::head || state == State::body;
}

/// The first piece has `first` bytes, the others `step`.
Told read(const Asking& asking, std::string_view bytes, std::size_t first,
          std::size_t step) {
  Http1Answer answer(asking.asked);
  Told told{.ear = Ear(asking.enough), .fault_text = {}};
  while (goes_on(answer.state()) && told.used < bytes.size()) {
    const std::string_view piece =
        bytes.substr(told.used, told.used == 0 ? first : step);
    told.used += piece.size();
    const State state = answer.feed(piece, told.ear);
    expect(state == answer.state(), "a state is what it is said to be");
    // What is kept of a head is counted, too.
    expect(state != State::head || told.used <= Http1Answer::kMaxHeads,
           "heads have a largest size");
  }
  expect(answer.begun() == !bytes.empty(), "an answer begins with a byte");
  if (asking.closed && goes_on(answer.state())) answer.closed();
  told.state = answer.state();
  told.fault = answer.fault();
  told.fault_text = answer.fault_text();
  told.missing = answer.missing();
  // Bytes that were not fed are found before the connection is used again.
  told.kept = answer.keeps_connection() && told.used == bytes.size();
  return told;
}

void expect_same(const Told& whole, const Told& pieces,
                 std::string_view bytes) {
  expect(whole.state == pieces.state, "cuts do not change the state", bytes);
  expect(whole.fault == pieces.fault && whole.fault_text == pieces.fault_text,
         "cuts do not change the fault", bytes);
  expect(whole.ear.status() == pieces.ear.status() &&
             whole.ear.headers() == pieces.ear.headers(),
         "cuts do not change the head", bytes);
  expect(whole.ear.body() == pieces.ear.body(), "cuts do not change the body",
         bytes);
  expect(whole.missing == pieces.missing && whole.kept == pieces.kept,
         "cuts do not change what is kept", bytes);
}

/// What the first content-length says, or its list begins with.
std::uint64_t length_of(const Headers& headers) {
  const std::string_view value = find_header(headers, "content-length");
  std::uint64_t length = 0;
  std::from_chars(value.data(), value.data() + value.size(), length);
  return length;
}

bool has(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const Header& h) {
    return same_header_name(h.name, name);
  });
}

void expect_framed(const Asking& asking, const Told& told,
                   std::string_view bytes) {
  const Ear& ear = told.ear;
  const bool empty = asking.asked == Asked::head_only || ear.status() == 204 ||
                     ear.status() == 304;
  const bool chunked = has(ear.headers(), "transfer-encoding");
  const bool counted = !chunked && has(ear.headers(), "content-length");
  for (const Header& header : ear.headers()) {
    const std::string_view breaks("\r\n\0", 3);
    expect(header.value.find_first_of(breaks) == std::string::npos,
           "a header's value is one line", header.value);
    expect(!header.name.empty() &&
               header.name.find_first_of(" \t\r\n:") == std::string::npos,
           "a header's name is a word", header.name);
  }
  expect(ear.body().size() <= bytes.size(), "a body came as bytes", bytes);
  if (empty) return expect(ear.body().empty(), "there is no body", ear.body());
  if (ear.status() == 0) return;
  if (counted) {
    const std::uint64_t length = length_of(ear.headers());
    expect(ear.body().size() <= length, "a body is no longer than it says");
    expect((told.state == State::done) <= (ear.body().size() == length),
           "a body is as long as it says", ear.body());
    if (told.state == State::body) {
      expect(told.missing == length - ear.body().size(),
             "what is missing is counted");
    }
  } else if (told.state == State::done && !chunked) {
    expect(asking.closed && !told.kept, "without a length it ends when closed");
  }
}

void expect_ended(const Asking& asking, const Told& told,
                  std::string_view bytes) {
  using Fault = Http1Answer::Fault;
  expect((told.state == State::broken) == (told.fault != Fault::none),
         "what is broken has a fault", bytes);
  expect((told.state == State::stopped) == told.ear.has_enough(),
         "who has enough ends it, and nobody else", bytes);
  expect(!asking.closed || !goes_on(told.state), "a close ends an answer",
         bytes);
  expect(!told.kept || told.state == State::done,
         "a connection is kept when all is done", bytes);
  if (!told.kept) return;
  // A byte less would not have been all of it.
  const std::string_view less = bytes.substr(0, bytes.size() - 1);
  Asking open = asking;
  open.closed = false;
  expect(goes_on(read(open, less, less.size(), 1).state),
         "a connection is kept when all was used", bytes);
}

/// Of just below the largest size, so that what follows passes it.
std::string large_head(std::size_t less) {
  const std::string start = "HTTP/1.1 103 Early\r\na: ";
  const std::string end = "\r\n\r\n";
  return start +
         std::string(Http1Answer::kMaxHeads - start.size() - end.size() - less,
                     'b') +
         end;
}

void run(Input& input) {
  Asking asking;
  asking.asked = input.flag() ? Asked::head_only : Asked::whole;
  asking.closed = input.below(3) == 0;
  const std::size_t step = 1 + input.byte() % 61;
  const bool large = input.below(8) == 7;
  asking.enough = input.below(4) == 3 ? 1 + input.below(4) : 0;
  const std::size_t cut = input.below(256) * 16 + input.below(16);
  const std::size_t less = input.below(256) * 8;
  std::string bytes = large ? large_head(less) : std::string();
  bytes += input.rest();

  const Told whole = read(asking, bytes, bytes.size(), 1);
  expect_ended(asking, whole, bytes);
  expect_framed(asking, whole, bytes);
  // Sinks that count pieces have enough where the cuts are.
  if (asking.enough > 1) return;
  expect_same(whole, read(asking, bytes, step, step), bytes);
  expect_same(whole, read(asking, bytes, 1 + cut, bytes.size() + 1), bytes);
}

const Registered kRegistered({"http_answer", Form::lines, 4096, run});

}  // namespace
}  // namespace llmproxy::fuzz
