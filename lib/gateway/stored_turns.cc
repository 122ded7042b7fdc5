// Source of the rules: OpenAI API reference, "Responses", "Conversation
// state".
#include "gateway/stored_turns.h"

#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "json/json.h"
#include "json/writer.h"
#include "translate/parsed_root.h"

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

/// Output items of stored answers by their ids. Each answer is read once,
/// however often it is referred to.
class StoredItems {
 public:
  explicit StoredItems(const Exchange& exchange) : exchange_(exchange) {}

  /// As JSON; empty = not there. Lives as long as this object.
  std::string_view find(std::string_view id);

 private:
  struct KeptAnswer {
    std::shared_ptr<const StoredResponse> stored;
    std::map<std::string, std::string_view, std::less<>> items;
  };
  KeptAnswer read(const std::string& id) const;

  const Exchange& exchange_;
  std::map<std::string, KeptAnswer> answers_;
};

// Our ids of items are made of the answer's: see response.cc of the dialect.
std::string_view StoredItems::find(std::string_view id) {
  const std::size_t first = id.find('_');
  const std::size_t last = id.rfind('_');
  if (first == std::string_view::npos || first == last) return {};
  const std::string answer =
      "resp_" + std::string(id.substr(first + 1, last - first - 1));
  const auto found = answers_.find(answer);
  KeptAnswer& read_answer =
      found == answers_.end()
          ? answers_.emplace(answer, read(answer)).first->second
          : found->second;
  const auto item = read_answer.items.find(id);
  return item == read_answer.items.end() ? std::string_view() : item->second;
}

StoredItems::KeptAnswer StoredItems::read(const std::string& id) const {
  KeptAnswer answer;
  answer.stored = exchange_.core.responses().find(exchange_.client, id);
  if (answer.stored == nullptr) return answer;
  json::Document document;
  const auto root = document.parse_view(answer.stored->body);
  if (!root) return answer;
  for (const json::Value item : (*root)["output"].children()) {
    answer.items.emplace(item["id"].string(), item.raw());
  }
  return answer;
}

/// Items that stand for others by their id alone.
bool is_reference(const json::Value& item) {
  const std::string_view type = item["type"].string();
  return type == "item_reference" ||
         (type.empty() && item["role"].absent() && item["id"].is_string());
}

/// Items of a conversation: JSON values joined by commas. What is stored can
/// be put in again and again, so there is a bound to it.
class Items {
 public:
  explicit Items(std::size_t most) : most_(most) {}

  void add(std::string_view more) {
    if (more.empty()) return;
    const std::size_t comma = text_.empty() ? 0 : 1;
    too_large_ = too_large_ || more.size() + comma > most_ - text_.size();
    if (too_large_) return;
    text_.append(comma, ',').append(more);
  }
  bool too_large() const { return too_large_; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  const std::size_t most_;
  bool too_large_ = false;
};

/// The request's own items; a plain text is one user message. References to
/// what is in the store become the item itself; `resolved` says so.
void add_items(const json::Value& input, StoredItems& store, Items& items,
               bool& resolved) {
  if (input.is_string()) {
    std::string message;
    json::Writer w(message);
    w.begin_object();
    w.member("type", "message");
    w.member("role", "user");
    w.member("content", input.string());
    w.end_object();
    return items.add(message);
  }
  for (const json::Value item : input.children()) {
    const std::string_view stored =
        is_reference(item) ? store.find(item["id"].string()) : "";
    resolved = resolved || !stored.empty();
    items.add(stored.empty() ? item.raw() : stored);
  }
}

/// `root` with the whole conversation as its input.
std::string with_input(const json::Value& root, std::string_view items) {
  std::string out;
  out.reserve(items.size());
  json::Writer w(out);
  w.begin_object();
  for (const json::Value member : root.children()) {
    if (member.key() == kPrevious || member.key() == "input") continue;
    w.key(member.key());
    w.raw(member.raw());
  }
  w.key("input");
  w.begin_array();
  if (!items.empty()) w.raw(items);
  w.end_array();
  w.end_object();
  return out;
}

Error too_large(std::size_t most) {
  Error error;
  error.kind = ErrorKind::request_too_large;
  error.fault = Fault::client;
  error.message = fmt::format(
      "the conversation, with what is stored of it, is larger than {} bytes",
      most);
  return error;
}

Error no_such_response(std::string_view id) {
  Error error;
  error.kind = ErrorKind::not_found;
  error.fault = Fault::client;
  error.message = fmt::format("Response with id '{}' not found.", id);
  return error;
}

}  // namespace

bool goes_on_from_store(const Exchange& exchange,
                        const ParsedRequest& request) {
  const json::Value previous = ParsedRoot::of(request)[kPrevious];
  return previous.is_string() &&
         exchange.core.responses().find(exchange.client, previous.string()) !=
             nullptr;
}

Result<std::optional<PendingTurn>> continue_turn(
    const Exchange& exchange, const ParsedRequest& request,
    std::optional<std::string>& whole) {
  const json::Value root = ParsedRoot::of(request);
  const Config& config = exchange.core.config();
  Items items(config.server.max_body_bytes);
  const json::Value previous = root[kPrevious];
  if (previous.is_string()) {
    const auto stored =
        exchange.core.responses().find(exchange.client, previous.string());
    if (stored == nullptr) return unknown_response(previous.string());
    items.add(stored->items);
  }
  StoredItems store(exchange);
  bool resolved = false;
  add_items(root["input"], store, items, resolved);
  if (items.too_large()) return too_large(config.server.max_body_bytes);
  PendingTurn turn{items.take()};
  const bool stores = root["store"].absent() || !root["store"].boolean() ||
                      root["store"].is_true();
  if (previous.is_string() || resolved) whole = with_input(root, turn.items);
  // What could not be kept anyway is not carried along.
  if (!stores || turn.items.size() > config.responses.max_bytes) {
    return std::optional<PendingTurn>();
  }
  return std::optional<PendingTurn>(std::move(turn));
}

void store_turn(const Exchange& exchange, PendingTurn turn,
                std::string_view body) {
  // What cannot be kept is not made.
  const std::size_t most = exchange.core.config().responses.max_bytes;
  if (body.size() > most) return;
  json::Document document;
  const auto root = document.parse_view(body);
  if (!root) return;
  const std::string_view status = (*root)["status"].string();
  if (status != "completed" && status != "incomplete") return;
  Items items(most - body.size());
  items.add(turn.items);
  std::string().swap(turn.items);
  StoredItems store(exchange);
  bool resolved = false;
  add_items((*root)["output"], store, items, resolved);
  if (items.too_large()) return;
  StoredResponse stored;
  stored.id = (*root)["id"].string();
  stored.body = body;
  stored.items = items.take();
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
  const auto event = document.parse_view(line);
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
