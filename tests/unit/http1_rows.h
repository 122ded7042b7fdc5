// Answers over HTTP/1.1 as rows, each read whole, byte by byte, and cut at
// every place: what comes of it must be the same.
#pragma once

#include <catch2/catch.hpp>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "client/http1_answer.h"

namespace llmproxy::testing {

using Asked = Http1Answer::Asked;
using State = Http1Answer::State;
using Wrong = Http1Answer::Fault;

inline std::string name_of(Wrong fault) {
  switch (fault) {
    case Wrong::none:
      return "none";
    case Wrong::no_http:
      return "no http";
    case Wrong::malformed_head:
      return "bad head";
    case Wrong::oversized_heads:
      return "oversized";
    case Wrong::malformed_chunk:
      return "bad chunk";
    case Wrong::nothing:
      return "nothing";
    case Wrong::cut:
      return "cut";
  }
  return "?";
}

/// Writes down what it is told: `200 {a: 1} 'body'`.
class Notes final : public Http1Sink {
 public:
  bool on_head(int status, Headers headers) override {
    CHECK(head_.empty());
    head_ = std::to_string(status) + " ";
    for (const Header& header : headers) {
      head_ += "{" + header.name + ": " + header.value + "} ";
    }
    return true;
  }
  bool on_body(std::string_view bytes) override {
    CHECK_FALSE(head_.empty());
    CHECK_FALSE(bytes.empty());
    body_ += bytes;
    return true;
  }
  std::string text() const {
    return head_.empty() ? "" : head_ + "'" + body_ + "' ";
  }

 private:
  std::string head_;
  std::string body_;
};

/// What an answer is, in rows: "|" = CRLF, and "$" at the end = the upstream
/// closes the connection there.
struct Wire {
  std::string bytes;
  bool closed = false;
};

inline Wire wire_of(const std::string& notation) {
  Wire wire;
  wire.closed = notation.ends_with('$');
  for (const char c : notation.substr(0, notation.size() - wire.closed)) {
    wire.bytes += c == '|' ? "\r\n" : std::string(1, c);
  }
  return wire;
}

/// What came of an answer.
struct Reading {
  /// Head and body, and how it ended: "kept" (done, and the connection may be
  /// used again), "done", "head" or "body" (more is to come), or the fault.
  std::string told;
  /// No row's business, but the same wherever the cuts are.
  std::string fault_text;
  bool operator==(const Reading&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Reading& reading) {
  return out << reading.told << " (" << reading.fault_text << ")";
}

/// Feeds `wire` in pieces that end at `cuts`.
inline Reading read_answer(const Wire& wire, Asked asked,
                           std::vector<std::size_t> cuts) {
  Http1Answer answer(asked);
  Notes notes;
  cuts.push_back(wire.bytes.size());
  const auto goes_on = [&] {
    return answer.state() == State::head || answer.state() == State::body;
  };
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    if (!goes_on()) break;
    answer.feed(std::string_view(wire.bytes).substr(from, cut - from), notes);
    from = cut;
  }
  // Who reads finds these when the connection is to be used again.
  const bool all_used = from == wire.bytes.size();
  if (goes_on() && wire.closed) answer.closed();
  CHECK((answer.state() == State::broken) == (answer.fault() != Wrong::none));
  CHECK(answer.begun() == !wire.bytes.empty());
  const bool kept = answer.keeps_connection() && all_used;
  std::string end;
  switch (answer.state()) {
    case State::head:
      end = "head";
      break;
    case State::body:
      end = "body";
      break;
    case State::done:
      end = kept ? "kept" : "done";
      break;
    case State::stopped:
      end = "stopped";
      break;
    case State::broken:
      end = name_of(answer.fault());
  }
  return {notes.text() + end, std::string(answer.fault_text())};
}

/// Whole, byte by byte, and cut once at each place (of long ones: some).
inline void check_row(const std::string& notation, Asked asked,
                      const std::string& expected) {
  const Wire wire = wire_of(notation);
  const std::size_t size = wire.bytes.size();
  const Reading whole = read_answer(wire, asked, {});
  CHECK(whole.told == expected);
  std::vector<std::size_t> all(size);
  for (std::size_t i = 0; i < size; ++i) all[i] = i;
  CHECK(read_answer(wire, asked, all) == whole);
  const std::size_t step = size < 1000 ? 1 : size / 50;
  for (std::size_t cut = 0; cut <= size; cut += step) {
    CAPTURE(cut);
    const Reading in_two = read_answer(wire, asked, {cut});
    CHECK(in_two == whole);
    if (in_two != whole) break;  // the others are the same fault
  }
}

struct Row {
  const char* name;
  std::string answer;
  std::string expected;
};

inline void check_rows(const std::vector<Row>& rows,
                       Asked asked = Asked::whole) {
  for (const Row& row : rows) {
    CAPTURE(row.name, row.answer.substr(0, 400));
    check_row(row.answer, asked, row.expected);
  }
}

}  // namespace llmproxy::testing
