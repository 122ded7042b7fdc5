// What clients of a dialect demand of a stream. See stream_rules.h. The rules
// are written against the wire, with nothing of the encoders in them.
#include "golden/stream_rules.h"

#include <vector>

#include "golden/stream_rule_books.h"
#include "support/event_stream_text.h"
#include "wire/event_stream.h"
#include "wire/sse.h"

namespace llmproxy::testing {
namespace {

// Empty and a reason where the bytes are no whole events.
std::string read_records(const Dialect& dialect, std::string_view bytes,
                         std::vector<Record>& records) {
  wire::SseDecoder sse;
  wire::EventStreamDecoder frames;
  const bool binary = dialect.framing == Framing::event_stream;
  if (!binary && !bytes.ends_with("\n\n")) {
    return "does not end with a blank line";
  }
  if (!binary && bytes.find('\r') != std::string_view::npos) {
    return "holds a CR";
  }
  wire::Framer& framer = binary ? static_cast<wire::Framer&>(frames)
                                : static_cast<wire::Framer&>(sse);
  framer.feed(bytes);
  wire::Frame event;
  while (framer.next(event)) {
    records.push_back(
        {std::string(event.name), std::string(event.data), event.exception});
  }
  if (!framer.fault().empty()) return std::string(framer.fault());
  return framer.consumed() == bytes.size() ? "" : "ends within an event";
}

// Offset of the end of the first frame that tells a normal end.
std::size_t end_of_frames(const Dialect& dialect, std::string_view bytes,
                          std::string_view terminal) {
  std::size_t at = 0;
  for (const std::string_view frame : split_frames(bytes)) {
    at += frame.size();
    if (text_of_frames(dialect, frame).find(terminal) != std::string::npos) {
      return at;
    }
  }
  return bytes.size();
}

struct DialectRow {
  std::string_view dialect;
  std::string (*broken_rule)(const std::vector<Record>& records,
                             const RequestContext& context, bool failed);
  /// Its presence in our output reads as a normal end.
  std::vector<std::string_view> marks;
  /// Present in the record that ends an upstream's stream normally.
  std::string_view terminal;
};
const DialectRow kDialects[] = {
    {"openai-chat",
     broken_openai_chat_rule,
     {"[DONE]", "\"finish_reason\":\""},
     "\"finish_reason\":\""},
    {"claude", broken_claude_rule, {"\"message_stop\""}, "\"message_stop\""},
    {"bedrock", broken_bedrock_rule, {"\"message_stop\""}, "\"message_stop\""},
    {"bedrock-converse",
     broken_bedrock_converse_rule,
     {"messageStop", "metadata"},
     "event messageStop"},
};

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
  std::vector<Record> records;
  if (std::string rule = read_records(dialect, bytes, records); !rule.empty()) {
    return rule;
  }
  const DialectRow* row = row_of(dialect);
  if (!row) return "no rules for " + std::string(dialect.name);
  return row->broken_rule(records, context, failed);
}

bool looks_finished(const Dialect& dialect, std::string_view bytes) {
  const DialectRow* row = row_of(dialect);
  if (!row) return false;
  const std::string text = stream_text(dialect, bytes);
  for (const std::string_view mark : row->marks) {
    if (text.find(mark) != std::string::npos) return true;
  }
  return false;
}

std::size_t normal_end(const Dialect& dialect, std::string_view bytes) {
  const DialectRow* row = row_of(dialect);
  if (!row) return bytes.size();
  if (dialect.framing == Framing::event_stream) {
    return end_of_frames(dialect, bytes, row->terminal);
  }
  // Upstreams may put spaces anywhere: look at lines without them.
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = bytes.find_first_of("\r\n", at);
    if (end == std::string_view::npos) end = bytes.size();
    std::string line(bytes.substr(at, end - at));
    std::erase(line, ' ');
    if (line.starts_with("data:") &&
        line.find(row->terminal) != std::string::npos) {
      std::size_t last = end;
      while (last > at && bytes[last - 1] != '}') --last;
      return last > at ? last - 1 : end;
    }
    at = end + 1;
  }
  return bytes.size();
}

}  // namespace llmproxy::testing
