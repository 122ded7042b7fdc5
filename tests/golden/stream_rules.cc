// What clients of a dialect demand of a stream. See stream_rules.h. The rules
// are written against the wire, with nothing of the encoders in them.
#include "golden/stream_rules.h"

#include <algorithm>
#include <vector>

#include "golden/stream_rule_books.h"
#include "json/json.h"
#include "support/event_text.h"
#include "wire/event_stream.h"
#include "wire/json_array.h"
#include "wire/sse.h"

namespace llmproxy::testing {
namespace {

/// Frames of event streams become records: their type and payload, what a
/// chunk holds under its own type.
std::vector<Record> frames_of(std::string_view bytes) {
  std::vector<Record> records;
  std::string text = text_of_frames(bytes);
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    Record record;
    for (std::string* word : {&record.kind, &record.name}) {
      *word = line.substr(0, line.find(' '));
      line.remove_prefix(std::min(word->size() + 1, line.size()));
    }
    record.data = line;
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<Record> records_of(std::string_view bytes) {
  wire::SseDecoder decoder;
  decoder.feed(bytes);
  std::vector<Record> records;
  wire::Frame event;
  while (decoder.next(event)) {
    records.push_back({std::string(event.name), std::string(event.data)});
  }
  return records;
}

std::vector<Record> elements_of(std::string_view bytes) {
  wire::JsonArrayFramer framer;
  framer.feed(bytes);
  std::vector<Record> records;
  wire::Frame element;
  while (framer.next(element)) {
    records.push_back({std::string(element.name), std::string(element.data)});
  }
  return records;
}

struct DialectRow {
  std::string_view dialect;
  std::string (*broken_rule)(const std::vector<Record>& records,
                             const RequestContext& context, bool failed);
  /// Its presence in our output reads as a normal end.
  std::vector<std::string_view> marks;
  /// Present in the record that ends an upstream's stream normally.
  std::string_view terminal;
  /// Likewise; empty = there is but one way to end.
  std::string_view other_terminal = {};
  /// Its clients may ask for one JSON array instead of events.
  bool arrays = false;
};
const DialectRow kDialects[] = {
    {"openai-chat",
     broken_openai_chat_rule,
     {"[DONE]", "\"finish_reason\":\""},
     "\"finish_reason\":\""},
    {"claude", broken_claude_rule, {"\"message_stop\""}, "\"message_stop\""},
    {"openai-responses",
     broken_openai_responses_rule,
     {"\"response.completed\"", "\"response.incomplete\""},
     "\"status\":\""},
    {"gemini",
     broken_gemini_rule,
     {"\"finishReason\":\""},
     "\"finishReason\":\"",
     "\"blockReason\":\"",
     true},
    {"bedrock", broken_bedrock_rule, {"\"message_stop\""}, "\"message_stop\""},
    {"bedrock-converse",
     broken_bedrock_converse_rule,
     {"messageStop"},
     "event messageStop"},
};

// Offset of the last byte of the frame whose text holds `mark`.
std::size_t end_of_frame(std::string_view bytes, std::string_view mark) {
  wire::EventStreamDecoder decoder;
  decoder.feed(bytes);
  wire::Frame frame;
  std::size_t begin = 0;
  while (decoder.next(frame)) {
    const std::size_t end = decoder.consumed();
    const std::string text = text_of_frames(bytes.substr(begin, end - begin));
    if (text.find(mark) != std::string::npos) return end - 1;
    begin = end;
  }
  return bytes.size();
}

const DialectRow* row_of(const Dialect& dialect) {
  for (const DialectRow& row : kDialects) {
    if (row.dialect == dialect.name) return &row;
  }
  return nullptr;
}

}  // namespace

std::string broken_stream_rule(const Dialect& dialect,
                               const RequestContext& context,
                               std::string_view bytes, bool failed) {
  const DialectRow* row = row_of(dialect);
  if (!row) return "no rules for " + std::string(dialect.name);
  if (dialect.framing == Framing::event_stream) {
    return row->broken_rule(frames_of(bytes), context, failed);
  }
  if (row->arrays && context.json_array) {
    json::Document document;
    const auto root = document.parse(bytes);
    if (!root || !root->is_array()) return "is no JSON array";
    return row->broken_rule(elements_of(bytes), context, failed);
  }
  if (!bytes.ends_with("\n\n")) return "does not end with a blank line";
  if (bytes.find('\r') != std::string_view::npos) return "holds a CR";
  return row->broken_rule(records_of(bytes), context, failed);
}

bool looks_finished(const Dialect& dialect, std::string_view bytes) {
  const DialectRow* row = row_of(dialect);
  if (!row) return false;
  std::string text;
  if (dialect.framing == Framing::event_stream) {
    text = text_of_frames(bytes);
    bytes = text;
  }
  for (const std::string_view mark : row->marks) {
    if (bytes.find(mark) != std::string_view::npos) return true;
  }
  return false;
}

std::size_t normal_end(const Dialect& dialect, std::string_view bytes) {
  const DialectRow* row = row_of(dialect);
  if (!row) return bytes.size();
  if (dialect.framing == Framing::event_stream) {
    return end_of_frame(bytes, row->terminal);
  }
  // Upstreams may put spaces anywhere: look at lines without them.
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = bytes.find_first_of("\r\n", at);
    if (end == std::string_view::npos) end = bytes.size();
    std::string line(bytes.substr(at, end - at));
    std::erase(line, ' ');
    const bool ends = line.find(row->terminal) != std::string::npos ||
                      (!row->other_terminal.empty() &&
                       line.find(row->other_terminal) != std::string::npos);
    if (line.starts_with("data:") && ends) {
      std::size_t last = end;
      while (last > at && bytes[last - 1] != '}') --last;
      return last > at ? last - 1 : end;
    }
    at = end + 1;
  }
  return bytes.size();
}

}  // namespace llmproxy::testing
