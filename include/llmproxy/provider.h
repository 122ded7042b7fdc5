// Providers: who serves a dialect, where, and how they take the key. One row
// each in lib/client/providers.cc; a new row needs no code. A Backend is a
// configured provider with its key.
//
// Rows live as long as the process; a Backend is a plain value. The functions
// may be called from any number of threads at once.
//
//   Backend backend = make_backend(*find_provider("openai"), Secret(key));
//   UpstreamRequest request = upstream_request(backend, *sent);
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "llmproxy/dialect.h"
#include "llmproxy/export.h"
#include "llmproxy/http.h"
#include "llmproxy/transport.h"

LLMPROXY_EXPORT_BEGIN
namespace llmproxy {

/// How a key is sent.
enum class AuthScheme : std::uint8_t {
  none,            ///< no key is sent
  bearer,          ///< `authorization: Bearer <key>`
  x_api_key,       ///< `x-api-key: <key>`
  x_goog_api_key,  ///< `x-goog-api-key: <key>`
  api_key,         ///< `api-key: <key>`
  /// `authorization: Bearer <key>` where there is a key, else the request is
  /// signed (Signature Version 4) with the backend's AWS credentials.
  aws,
};

/// What a provider does other than its dialect says. Bits, each with its
/// evidence beside the row that sets it.
enum Quirk : std::uint32_t {
  kNoQuirks = 0,                ///< it does what its dialect says
  kOldMaxTokens = 1u << 0,      ///< knows only `max_tokens`
  kNoStreamUsage = 1u << 1,     ///< refuses stream_options
  kReasoningContent = 1u << 2,  ///< wants reasoning_content back
  kCacheMarkers = 1u << 3,      ///< honours cache_control on parts
  kToolResultImages = 1u << 4,  ///< takes images in tool messages
  kNoJsonSchema = 1u << 5,      ///< refuses response_format json_schema
  kNoImageUrls = 1u << 6,       ///< takes images as data URLs only
  kNoUserField = 1u << 7,       ///< refuses the end user's id
  kNoSeed = 1u << 8,            ///< refuses `seed`
  kRandomSeed = 1u << 9,        ///< calls the seed `random_seed`
  kNoPenalties = 1u << 10,      ///< refuses the penalties
  kNineCharCallIds = 1u << 11,  ///< tool call ids are 9 letters and digits
  kNoMessageNames = 1u << 12,   ///< refuses `name` in messages
  kNoSystemBetween = 1u << 13,  ///< takes system turns at the top only
  kNoStrictTools = 1u << 14,    ///< refuses `strict` in tools
  kNoCustomTools = 1u << 15,    ///< refuses tools of type `custom`
};

struct Backend;
struct TranslatedRequest;

/// One row: a vendor, or a kind of server. Its views, and so the row, live as
/// long as the process.
struct Provider {
  std::string_view name = {};     ///< "anthropic"
  std::string_view dialect = {};  ///< "claude"; empty = speaks the client's
  /// As the vendor writes it; "{region}" stands for the backend's region.
  /// Empty = must be given.
  std::string_view base_url = {};
  /// Put before the dialect's upstream_path: "/v1" where the vendor's base
  /// URL is the bare host, empty where it ends in /v1 already.
  std::string_view path_prefix = {};
  /// How it takes the key.
  AuthScheme auth = AuthScheme::bearer;
  std::string_view key_variable = {};       ///< "ANTHROPIC_API_KEY"
  std::string_view base_url_variable = {};  ///< "ANTHROPIC_BASE_URL"
  /// What others call it; asked where the first is not set.
  std::string_view other_base_url_variable = {};
  /// Headers every request carries, "name: value\n" each.
  std::string_view extra_headers = {};
  /// Bits of Quirk.
  std::uint32_t quirks = kNoQuirks;
  /// Served on the user's own machine or without an account: used even when
  /// no key is set, once its base URL is.
  bool key_optional = false;
  /// An auth scheme of the host's: adds the credentials of `backend` to a
  /// request, instead of `auth`. As Backend::sign, for all backends of this
  /// row, those of a configuration file included; nullptr = `auth`.
  void (*sign)(const Backend& backend, UpstreamRequest& request) = nullptr;
};

/// The built-in rows. Static storage.
std::span<const Provider> providers();
/// Adds a row for the whole process, for find_provider() and for
/// configuration files; providers() has the built-in ones only. What it views
/// must live as long as the process. False = the name is empty or taken, or its
/// dialect is not known (register that first). Thread-safe; rows stay put.
bool register_provider(const Provider& row);
/// By name, or nullptr.
const Provider* find_provider(std::string_view name);

/// A key that cannot be printed by accident: no stream operator, no
/// formatter, no comparison but the constant-time one.
class Secret {
 public:
  /// No key.
  Secret() = default;
  /// Takes the key.
  explicit Secret(std::string value) : value_(std::move(value)) {}
  /// True where there is no key.
  bool empty() const { return value_.empty(); }
  /// The key itself; for the request header only.
  const std::string& reveal() const { return value_; }
  /// Time depends on the lengths alone.
  bool equals(std::string_view other) const;

 private:
  std::string value_;
};

/// What signs requests to AWS.
struct AwsCredentials {
  /// Stands for "{region}" in URLs, and is signed.
  std::string region = "us-east-1";
  std::string access_key_id = {};  ///< no secret; empty = nothing to sign with
  Secret secret_access_key = {};   ///< what signs; empty = nothing to sign with
  Secret session_token = {};       ///< of temporary credentials; else empty
};

/// A provider with its address and key. A plain value; `provider` and
/// `dialect` are borrowed and live as long as the process.
struct Backend {
  /// The host's name for it; make_backend() takes the provider's.
  std::string name = {};
  /// Its row.
  const Provider* provider = nullptr;
  /// Dialect it speaks; nullptr = the client's (the demo backend).
  const Dialect* dialect = nullptr;
  /// As Provider::base_url.
  std::string base_url = {};
  /// Added to every URL, without "?" ("api-version=2024-10-21"); or empty.
  std::string query = {};
  /// Empty = no key is sent.
  Secret api_key = {};
  /// Header the key is sent in; empty = as the provider takes it.
  std::string auth_header = {};
  /// What stands before the key there ("Bearer "); empty = nothing. Counts
  /// only where auth_header is given.
  std::string auth_prefix = {};
  /// A client's own credentials go to this backend where it has no key.
  bool pass_credentials = false;
  /// Sent with every request; of the same name as a provider's, instead.
  Headers headers = {};
  /// Instead of the provider's, where it is not empty.
  std::string path_prefix = {};
  /// For AuthScheme::aws, where there is no api_key.
  AwsCredentials aws = {};
  /// Of each call; CallOptions::deadlines take their place.
  Deadlines deadlines = {};
  /// Adds a credential to each request, instead of everything above that is
  /// about keys and of Provider::sign: for tokens that expire, or signatures
  /// of another kind. Called last, on the thread that makes the request, from
  /// several at once. Should not throw: that ends a Client's call with an error
  /// (internal), and a Gateway answers 500. Where it can fail, see intercept.h.
  std::function<void(UpstreamRequest& request)> sign = {};
};

/// The backend of a provider row: its base URL, the given key.
Backend make_backend(const Provider& provider, Secret api_key,
                     std::string base_url = {});

/// URL, method and headers (key included) for `path`, which is what
/// upstream_path() says; the headers are those of upstream_headers() for the
/// backend's dialect, the provider's and the backend's. The key goes to its
/// host only; see authorize.
UpstreamRequest upstream_request(const Backend& backend, std::string_view path,
                                 std::string body, bool stream);
/// The same for what translate_request() made, with its headers; they and its
/// body are moved out of it.
UpstreamRequest upstream_request(const Backend& backend,
                                 TranslatedRequest& request);

// Pieces of it, for requests that are passed on as they are.
/// The base URL with the backend's region in it.
std::string resolved_base_url(const Backend& backend);
/// The provider's headers and the backend's own, instead of those there.
void add_backend_headers(const Backend& backend, Headers& headers);
/// Last: the backend's key in its header (unless configured) or its signature
/// of all; a URL of another scheme, host or port gets none and is emptied.
void authorize(const Backend& backend, UpstreamRequest& request);

/// What `model` takes behind this backend: the model's row and the quirks.
TargetTraits traits_for(const Backend& backend, const Dialect& dialect,
                        std::string_view model);

}  // namespace llmproxy
LLMPROXY_EXPORT_END
