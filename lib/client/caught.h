// Functions of the host's that must not throw, and do: parsers of JSON, mostly.
// libcurl's callbacks and the engines' threads could only end the program then;
// so what is thrown becomes an error where it is thrown.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "client/transfer_error.h"
#include "llmproxy/transport.h"

namespace llmproxy {

/// Runs `function` of `whose` ("the callback"); the error of what it threw.
template <class Function>
std::optional<Error> caught(std::string_view whose, Function&& function) {
  try {
    function();
  } catch (const std::exception& thrown) {
    return thrown_error(whose, thrown.what());
  } catch (...) {
    return thrown_error(whose, {});
  }
  return std::nullopt;
}

/// The same for what stands between a call and its upstream. Who asked has not
/// thrown, and may be a Gateway's client: the exception's words, which may hold
/// anything, are not for them.
template <class Function>
std::optional<Error> failed(std::string_view whose, Function&& function) {
  if (!caught(whose, function)) return std::nullopt;
  return internal_error(std::string(whose) + " threw an exception");
}

inline constexpr std::string_view kCallback = "the callback";
inline constexpr std::string_view kHandler = "the response handler";

/// The last call of a handler: nobody is left to be told what it throws.
inline void tell_done(ResponseHandler& handler, const Result<void>& result) {
  (void)caught(kHandler, [&] { handler.on_done(result); });
}

}  // namespace llmproxy
