// Source of the rules: OpenAI API reference, "Responses", "Conversation
// state".
#include "gateway/stored_turns.h"

#include <utility>

#include <fmt/format.h>

#include "json/json.h"
#include "json/writer.h"

namespace llmproxy::gateway {
namespace {

constexpr std::string_view kPrevious = "previous_response_id";

Error unknown_response(std::string_view id) {
  Error error = invalid_request(
      fmt::format("Previous response with id '{}' not found. Responses are "
                  "kept in memory and for a limited time only; send the whole "
                  "conversation in `input` instead.",
                  id),
      "/previous_response_id");
  error.code = "previous_response_not_found";
  return error;
}

/// The request's own items; a plain text is one user message.
std::string items_of(const json::Value& input) {
  std::string out;
  if (input.is_string()) {
    json::Writer w(out);
    w.begin_object();
    w.member("type", "message");
    w.member("role", "user");
    w.member("content", input.string());
    w.end_object();
    return out;
  }
  for (const json::Value item : input.children()) {
    if (!out.empty()) out += ',';
    out += item.raw();
  }
  return out;
}

void join(std::string& items, std::string_view more) {
  if (!items.empty() && !more.empty()) items += ',';
  items += more;
}

/// `root` with the whole conversation as its input.
std::string with_input(const json::Value& root, const std::string& items) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  for (const json::Value member : root.children()) {
    if (member.key() == kPrevious || member.key() == "input") continue;
    w.key(member.key());
    w.raw(member.raw());
  }
  w.key("input");
  w.raw("[" + items + "]");
  w.end_object();
  return out;
}

Error no_such_response(std::string_view id) {
  Error error;
  error.kind = ErrorKind::not_found;
  error.fault = Fault::client;
  error.message = fmt::format("Response with id '{}' not found.", id);
  return error;
}

}  // namespace

bool goes_on_from_store(const Exchange& exchange, std::string_view body) {
  json::Document document;
  const auto root = document.parse(body);
  if (!root || !(*root)[kPrevious].is_string()) return false;
  return exchange.core.responses().find(exchange.client,
                                        (*root)[kPrevious].string()) != nullptr;
}

Result<std::optional<PendingTurn>> continue_turn(const Exchange& exchange,
                                                 std::string& body) {
  json::Document document;
  const auto parsed = document.parse(body);
  // What is wrong with it is for the decoder to say.
  if (!parsed || !parsed->is_object()) return std::optional<PendingTurn>();
  const json::Value& root = *parsed;
  PendingTurn turn;
  const json::Value previous = root[kPrevious];
  if (previous.is_string()) {
    const auto stored =
        exchange.core.responses().find(exchange.client, previous.string());
    if (stored == nullptr) return unknown_response(previous.string());
    turn.items = stored->items;
  }
  join(turn.items, items_of(root["input"]));
  const bool stores = root["store"].absent() || !root["store"].boolean() ||
                      root["store"].is_true();
  if (previous.is_string()) body = with_input(root, turn.items);
  if (!stores) return std::optional<PendingTurn>();
  return std::optional<PendingTurn>(std::move(turn));
}

void store_turn(const Exchange& exchange, PendingTurn turn,
                std::string_view body) {
  json::Document document;
  const auto root = document.parse(body);
  if (!root) return;
  const std::string_view status = (*root)["status"].string();
  if (status != "completed" && status != "incomplete") return;
  StoredResponse stored;
  stored.id = (*root)["id"].string();
  stored.body = body;
  stored.items = std::move(turn.items);
  join(stored.items, items_of((*root)["output"]));
  exchange.core.responses().put(exchange.client, std::move(stored));
}

void store_streamed_turn(const Exchange& exchange, PendingTurn turn,
                         std::string_view bytes) {
  constexpr std::string_view kData = "data: ";
  const std::size_t at = bytes.rfind("\n" + std::string(kData));
  if (at == std::string_view::npos) return;
  std::string_view line = bytes.substr(at + 1 + kData.size());
  line = line.substr(0, line.find('\n'));
  json::Document document;
  const auto event = document.parse(line);
  if (!event) return;
  store_turn(exchange, std::move(turn), (*event)["response"].raw());
}

void get_response(Exchange& exchange) {
  const std::string id(exchange.tail);
  const auto stored = exchange.core.responses().find(exchange.client, id);
  if (stored == nullptr) {
    return exchange.answer.send_error(exchange.dialect, no_such_response(id));
  }
  exchange.answer.send_json(200, {}, stored->body);
}

void delete_response(Exchange& exchange) {
  const std::string id(exchange.tail);
  if (!exchange.core.responses().remove(exchange.client, id)) {
    return exchange.answer.send_error(exchange.dialect, no_such_response(id));
  }
  std::string body;
  json::Writer w(body);
  w.begin_object();
  w.member("id", id);
  w.member("object", "response");
  w.member("deleted", true);
  w.end_object();
  exchange.answer.send_json(200, {}, body);
}

}  // namespace llmproxy::gateway
