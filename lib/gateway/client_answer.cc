// Sending and noting.
#include "gateway/client_answer.h"

#include <utility>

#include <fmt/format.h>

#include "gateway/ending.h"
#include "gateway/headers.h"
#include "gateway/log_text.h"

namespace llmproxy::gateway {
namespace {

// Whole answers are written so, each piece when the one before has left: a
// large one is not kept twice for a client that reads slowly.
constexpr std::size_t kPiece = std::size_t{256} << 10;
// How often it is looked at what a client has taken that is waited for.
constexpr std::chrono::milliseconds kTick{200};

}  // namespace

void ClientAnswer::start(int status, Headers headers) {
  record_.status = status;
  headers.push_back({std::string(kRequestIdHeader), record_.request_id});
  headers.insert(headers.end(), always_.begin(), always_.end());
  if (hooks_.interceptor != nullptr) {
    hooks_.interceptor->on_answer(record_, status, headers);
  }
  sink_.start(status, headers);
}

Written ClientAnswer::write(std::string_view bytes) {
  if (!record_.first_byte) {
    record_.first_byte = std::chrono::duration_cast<std::chrono::microseconds>(
        Clock::now() - begin_);
    if (hooks_.observer != nullptr) hooks_.observer->on_first_byte(record_);
  }
  return sink_.write(bytes);
}

void ClientAnswer::send(int status, Headers headers, std::string_view body) {
  headers.push_back({"content-length", std::to_string(body.size())});
  start(status, std::move(headers));
  // Else the client must see that something is missing.
  if (write_whole(body)) finish();
}

bool ClientAnswer::write_whole(std::string_view body) {
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, kPiece);
    body.remove_prefix(piece.size());
    Written written = write(piece);
    if (body.empty()) return written != Written::gone;
    if (written == Written::not_now) written = wait_for_client();
    if (written != Written::ok) return false;
  }
  return true;
}

Written ClientAnswer::wait_for_client() {
  stall_.reset();
  for (;;) {
    const Written written = drain(kTick);
    if (written != Written::not_now) return written;
    if (!stall_.passed(taken(), Clock::now())) continue;
    abandon(std::chrono::milliseconds(0));
    note_client_stalled(stall_.limit());
    return Written::gone;
  }
}

void ClientAnswer::send_json(int status, Headers headers,
                             std::string_view body) {
  headers.push_back({"content-type", "application/json"});
  send(status, std::move(headers), body);
}

void ClientAnswer::send_error(const Dialect& dialect, const Error& error,
                              Headers headers) {
  note(error);
  Error named = error;
  if (named.request_id.empty()) named.request_id = record_.request_id;
  const TranslatedError written = write_error(dialect, named);
  add_retry_after(dialect, error, headers);
  add_request_id(dialect, record_.request_id, headers);
  send_json(written.status, std::move(headers), written.body);
}

void ClientAnswer::note(const Error& error) {
  record_.outcome = error.code == kShutdown ? kShutdown : to_string(error.kind);
  record_.error = log_text(error);
}

void ClientAnswer::note_client_gone() {
  record_.status = kClientGone;
  record_.outcome = to_string(ErrorKind::cancelled);
  record_.error = "the client disconnected";
}

void ClientAnswer::note_client_stalled(std::chrono::milliseconds limit) {
  note_client_gone();
  record_.error = fmt::format("the client did not read its response for {:g} s",
                              static_cast<double>(limit.count()) / 1000);
}

}  // namespace llmproxy::gateway
