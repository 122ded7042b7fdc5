// Gemini generateContent: the contents of a request, both ways.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/gemini/tables.h"

namespace llmproxy::gemini {

/// `systemInstruction` and `contents`, appended to the request's messages.
/// Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);

/// Writes `systemInstruction` and `contents` of a fitted request. The API
/// wants: system text on top; user and model alternating, user first; every
/// call of a turn answered in the very next one; no empty part.
class MessagesWriter {
 public:
  MessagesWriter(const ChatRequest& request, const TargetTraits& traits,
                 json::Writer& writer, Losses& losses);

  Result<void> write();

 private:
  struct Item {
    const ContentPart* part;
    std::string path;
  };
  struct Turn {
    Role role;
    std::vector<Item> items;
  };

  std::size_t write_system();
  std::vector<Turn> build_turns(std::size_t first);
  bool sendable(const ContentPart& part, const std::string& path);
  Result<void> write_message(const Turn& turn);
  Result<void> write_part(const Item& item);
  Result<void> write_value(const ContentPart& part, const std::string& path);
  void write_text(std::string_view text);
  Result<void> write_image(const ImagePart& image, const std::string& path);
  Result<void> write_audio(const AudioPart& audio, const std::string& path);
  Result<void> write_document(const DocumentPart& document,
                              const std::string& path);
  Result<void> write_media(const MediaSource& source, std::string_view name,
                           const std::string& path);
  void write_tool_call(const ToolCallPart& call, const std::string& path);
  Result<void> write_tool_result(const Item& item);
  void write_response(const ToolResultPart& result, const std::string& path);
  Result<void> write_file(const Item& file);
  Result<void> write_moved();
  void write_thinking(const ThinkingPart& thinking);
  void write_refusal(const RefusalPart& refusal, const std::string& path);
  void write_opaque(const OpaquePart& opaque);
  void write_signature();
  /// "Gemini does not take <thing>; dropped", or what it became.
  void lose(std::string path, std::string_view thing);
  void lose(std::string path, std::string_view thing, std::string_view became);

  const ChatRequest& request_;
  const TargetTraits& traits_;
  json::Writer& w_;
  Losses& losses_;
  std::map<std::string_view, std::string_view> names_;  // call id -> name
  std::vector<Item> moved_;     // files of results, behind all results
  std::string_view signature_;  // of the next part
  bool signed_call_ = false;    // the turn has a call, the first one signed
};

}  // namespace llmproxy::gemini
