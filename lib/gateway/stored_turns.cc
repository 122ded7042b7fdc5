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

/// An output item of a stored answer by its id, as JSON; empty = not there.
/// Our ids of items are made of the answer's: see response.cc of the dialect.
std::string stored_item(const Exchange& exchange, std::string_view id) {
  const std::size_t first = id.find('_');
  const std::size_t last = id.rfind('_');
  if (first == std::string_view::npos || first == last) return {};
  const std::string answer =
      "resp_" + std::string(id.substr(first + 1, last - first - 1));
  const auto stored = exchange.core.responses().find(exchange.client, answer);
  json::Document document;
  if (stored == nullptr) return {};
  const auto root = document.parse(stored->body);
  if (!root) return {};
  for (const json::Value item : (*root)["output"].children()) {
    if (item["id"].string() == id) return std::string(item.raw());
  }
  return {};
}

/// Items that stand for others by their id alone.
bool is_reference(const json::Value& item) {
  const std::string_view type = item["type"].string();
  return type == "item_reference" ||
         (type.empty() && item["role"].absent() && item["id"].is_string());
}

/// The request's own items; a plain text is one user message. References to
/// what is in the store become the item itself; `resolved` says so.
std::string items_of(const Exchange& exchange, const json::Value& input,
                     bool& resolved) {
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
    const std::string stored =
        is_reference(item) ? stored_item(exchange, item["id"].string()) : "";
    resolved = resolved || !stored.empty();
    out += stored.empty() ? item.raw() : std::string_view(stored);
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
  bool resolved = false;
  join(turn.items, items_of(exchange, root["input"], resolved));
  const bool stores = root["store"].absent() || !root["store"].boolean() ||
                      root["store"].is_true();
  if (previous.is_string() || resolved) body = with_input(root, turn.items);
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
  bool resolved = false;
  join(stored.items, items_of(exchange, (*root)["output"], resolved));
  exchange.core.responses().put(exchange.client, std::move(stored));
}

void store_streamed_turn(const Exchange& exchange, PendingTurn turn,
                         std::string_view bytes) {
  constexpr std::string_view kData = "\ndata: ";
  const std::size_t at = bytes.rfind(kData);
  if (at == std::string_view::npos) return;
  std::string_view line = bytes.substr(at + kData.size());
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
