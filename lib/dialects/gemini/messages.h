// Gemini generateContent: the contents of a request, both ways.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "dialects/gemini/tables.h"

namespace llmproxy::gemini {

/// `systemInstruction` and `contents`, appended to the request's messages.
/// Errors name the place.
Result<void> read_system(json::ObjectReader& reader, ChatRequest& request);
Result<void> read_messages(json::ObjectReader& reader, ChatRequest& request);
/// `list`, called `name`: Google takes one thing for a list of one.
template <class Read>
Result<void> read_list(const json::Value& list, std::string_view name,
                       const std::string& path, Read read) {
  if (list.is_object()) return read(list, path);
  if (list.absent() || list.is_array())
    return json::read_each(list, path, read);
  return invalid_request(
      fmt::format("{} must be an array, not {}", name, to_string(list.type())),
      path);
}
/// Writes both, of a fitted request.
Result<void> write_messages(const ChatRequest& request,
                            const TargetTraits& traits, json::Writer& writer,
                            Losses& losses);

}  // namespace llmproxy::gemini
