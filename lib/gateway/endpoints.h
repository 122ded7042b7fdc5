// Endpoints: the table of methods and paths, and who answers them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/exchange.h"

namespace llmproxy::gateway {

enum class Key : std::uint8_t { required, not_required };
/// What an endpoint makes of the body it gets.
enum class Body : std::uint8_t {
  as_sent,
  chat,  ///< reads it, so it is unpacked before
};

/// What a final "/" of an endpoint's path stands for.
enum class Tail : std::uint8_t {
  segment,  ///< one segment of a path
  name,     ///< a name, which may hold slashes
};

struct Endpoint {
  std::string_view method;
  /// A final "/" takes something behind it, see Tail. Empty = a dialect's.
  std::string_view path;
  Key key;
  void (*handle)(Exchange& exchange);
  Body body = Body::as_sent;
  Tail tail = Tail::segment;
  /// A form's body may be an upload: it stays as it was sent, and is perhaps
  /// not held in memory.
  bool uploads = false;
};

/// What a request's path and method lead to.
struct Match {
  std::optional<Endpoint> endpoint;
  std::string allowed;  ///< methods of the path, comma-separated
  /// The endpoint's path where the client spelled it otherwise; or empty.
  std::string path = {};
};

/// Methods that some endpoint may take, for the header `allow`.
inline constexpr std::string_view kTakenMethods =
    "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// An operation of a dialect's, or one of our own endpoints, by its very path.
Match find_endpoint(std::string_view method, std::string_view path);

/// The same, also where a wrong base URL spelled the path, see known_path.h.
Match find_meant(std::string_view method, std::string_view path);

/// What is below a mount: endpoints of ours again, else the backend's API.
/// Borrows from `mount`.
Match find_below(const Mount& mount, std::string_view method);

/// What the client speaks, as far as path and headers tell.
const Dialect& asking_dialect(std::string_view path, const Headers& headers);

}  // namespace llmproxy::gateway
