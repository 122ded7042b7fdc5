// Gemini generateContent: the contents of a request, both ways.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/gemini/tables.h"

namespace llmproxy::gemini {

/// `systemInstruction` and `contents`, appended to the request's messages.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_contents(json::ObjectReader& reader, ChatRequest& request);

/// Writes `systemInstruction` and `contents`. The API wants: system text on
/// top; user and model alternating, user first; every call of a turn answered
/// in the very next one; no empty part.
class ContentsWriter {
 public:
  ContentsWriter(const ChatRequest& request, const EncodeOptions& options,
                 json::Writer& writer, Losses& losses);
  /// `extra_system` is appended to the system text; empty = nothing.
  Result<void> write(std::string_view extra_system);

 private:
  struct Item {
    const ContentPart* part;
    std::string path;
  };
  struct Turn {
    Role role;
    std::vector<Item> items;
  };

  void lose(std::string path, std::string what,
            LossKind kind = LossKind::dropped);
  std::size_t write_system(std::string_view extra);
  std::vector<Turn> build_turns(std::size_t first);
  bool sendable(const ContentPart& part, const std::string& path);
  void lose_fields(const ContentPart& part, const std::string& path);
  Result<void> write_turn(const Turn& turn);
  Result<void> write_item(const Item& item, bool& signed_call);
  Result<void> write_media(const ContentPart& part, const std::string& path);
  void write_blob(const MediaSource& source, std::string_view name);
  Result<void> write_result(const Item& item);
  void write_response(const ToolResultPart& result, const std::string& path);
  void write_signature();
  Result<void> write_moved();

  const ChatRequest& request_;
  const EncodeOptions& options_;
  json::Writer& w_;
  Losses& losses_;
  const bool same_dialect_;
  std::map<std::string, std::string, std::less<>> names_;  // call id -> name
  std::vector<Item> moved_;  // files of results, behind all results
  std::string signature_;    // of the next part
};

}  // namespace llmproxy::gemini
