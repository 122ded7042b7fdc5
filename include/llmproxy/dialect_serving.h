// What is said of one dialect beside how it is translated: headers, counting
// of tokens, lists of models, where the system prompt stands, how clients and
// configurations are set up. A dialect's constants of these types stand in its
// folder, and Dialect points to them.
//
// All of it is views: what they show lives as long as the process.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "llmproxy/export.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// The headers of an API.
struct DialectHeaders {
  /// Where its clients look for the id of a request.
  std::string_view request_id = "x-request-id";
  /// Sent by clients, meant for the API, and no secret: passed to upstreams of
  /// the same dialect.
  std::span<const std::string_view> request = {};
  /// Those that list what a client may use: the operator's words and the
  /// client's both count.
  std::span<const std::string_view> lists = {};
  /// How the names of headers begin that clients of the same dialect get of an
  /// answer: rate limits, counts.
  std::span<const std::string_view> answer = {};
  /// Sent as retry-after when the upstream is busy and does not say how long;
  /// empty = nothing is.
  std::string_view retry_after = {};
  /// Clients take the orderly end of a stream for that of a whole answer, also
  /// behind an error: a failed one is to be broken off.
  bool breaks_failed_streams = false;
};

/// What gives a client away where the path is no dialect's.
struct ClientMark {
  std::string_view path = {};    ///< how it begins; or empty
  std::string_view header = {};  ///< one that it sends; or empty
};

/// How tokens are counted at paths of Operation::count_tokens.
struct CountTokens {
  /// Member that may hold the whole request; empty = the body is it.
  std::string_view wrapper = {};
  /// Member that a chat must have and this request need not; or empty.
  std::string_view needed_name = {};  ///< "max_tokens"
  std::string_view needed = {};       ///< as JSON: "\"max_tokens\":1"
  /// As Dialect::upstream_path; empty = upstreams are not asked, all counts
  /// are estimates.
  std::string_view upstream_path = {};
  /// Member of the answer.
  std::string_view answer = "input_tokens";
  /// `object` of the answer; or empty.
  std::string_view object = {};
};

/// One model of a list that clients ask for.
struct ModelEntry {
  std::string_view id = {};     ///< its name for clients
  std::string_view owner = {};  ///< the backend
  std::int64_t created = 0;     ///< Unix seconds
};

/// Lists of models: as upstreams are asked for them, and as clients are
/// answered.
struct ModelListShape {
  /// Below the base URL, with its query; empty = upstreams have none.
  std::string_view upstream_path = {};
  /// Parameter of the query for the next page; empty = there is one page only.
  std::string_view upstream_next = {};
  /// Where clients ask, with a "/" at the end: for one model by its name behind
  /// it, for all without the "/". Several dialects may have the same: the
  /// client's mark decides.
  std::span<const std::string_view> client_paths = {};
  /// Appends a model. nullptr = as the first dialect does.
  void (*write_model)(const ModelEntry& model, std::string& out) = nullptr;
  /// Appends a page; `more` = there are others behind them.
  void (*write_list)(std::span<const ModelEntry> page, bool more,
                     std::string& out) = nullptr;
  // Parameters by which clients ask for a page; empty = they do not.
  std::string_view limit = {};   ///< how many models it has
  std::string_view after = {};   ///< the model that the page begins behind
  std::string_view before = {};  ///< the model that the page ends before
};

/// Where the system prompt and the turns stand, and how a text is written
/// there: all that editing them must know. In JSON that is written, "$" stands
/// for the text with its quotes.
struct SystemShape {
  /// Spellings of the member with the system prompt on top; none = it is the
  /// first turns.
  std::span<const std::string_view> system = {};
  // How a system prompt on top may hold its texts.
  bool in_string = false;   ///< "..."
  bool in_blocks = false;   ///< [{"text": "..."}]
  bool in_content = false;  ///< {"parts": [{"text": "..."}]}
  /// The member's value where there was none, or the turn.
  std::string_view new_system = {};
  /// Members beside which no system prompt may stand: the provider keeps it.
  std::span<const std::string_view> kept = {};
  std::string_view turns = {};     ///< member with the turns
  std::string_view content = {};   ///< of a turn: a string or array of parts
  std::string_view new_part = {};  ///< a text, in a turn or a system prompt
  /// Roles whose last turn the progress joins; "" = no role is given.
  std::span<const std::string_view> joined = {};
  /// Roles behind whose last turn it is a turn of its own.
  std::span<const std::string_view> followed = {};
  std::string_view new_turn = {};  ///< such a turn
};

/// Members that hold a provider's sealed thoughts, and what takes the place of
/// a seal that is another provider's. All with their quotes.
struct SealedMembers {
  std::span<const std::string_view> members = {};  ///< "\"thoughtSignature\""
  std::string_view instead = {};                   ///< the other value
};

/// How clients and configurations are set up for a dialect.
struct DialectSetup {
  /// Where clients have their key, for errors.
  std::string_view key = "authorization: Bearer KEY";
  /// What the base URL of its clients is, for errors: a sentence that the URL
  /// follows.
  std::string_view base_url = "the base URL is";
  std::string_view base_url_end = {};  ///< behind our own address: "/v1"
  /// The provider to take for a host that is nobody's we know.
  std::string_view provider = "openai-compatible";
  /// Configurations that name a host alone have it without this; the provider's
  /// base URLs end in it.
  std::string_view version = {};
};

}  // namespace llmproxy
LLMPROXY_EXPORT_END
