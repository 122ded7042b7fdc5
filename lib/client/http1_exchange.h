// Http1Exchange: one request and its answer over HTTP/1.1, on a connection that
// libcurl has opened. Sends, reads, keeps the deadlines, and asks whether the
// call is still wanted; waits on the calling thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/curl_connection.h"
#include "client/http1_answer.h"
#include "client/unpacker.h"

namespace llmproxy {

class Http1Exchange final : private Http1Sink {
 public:
  /// All are borrowed.
  Http1Exchange(CurlConnection& connection, const UpstreamRequest& request,
                CurlTransfer& transfer, const Cancelled& cancelled);

  /// To the end, on_done included. A connection that was idle for `max_idle` is
  /// not used.
  void run(std::chrono::milliseconds max_idle);

 private:
  using Time = CurlConnection::Time;
  /// How it ended: an error of ours, or libcurl's code (CURLE_OK = well).
  using Ended = Result<CURLcode>;

  Ended try_all(std::chrono::milliseconds max_idle);
  /// Nothing = the connection, which was kept, had been closed meanwhile, and
  /// the request may be sent once more.
  std::optional<Ended> try_once(std::chrono::milliseconds max_idle);
  Ended transfer_all();
  /// Sends what goes without waiting, as far as one turn allows.
  void send_some();
  bool next_piece();
  bool all_sent() const {
    return to_send_.empty() && body_.empty() && read_ == large_size();
  }
  std::uint64_t large_size() const;
  /// Nothing = it is to be waited.
  std::optional<Ended> receive_some();
  std::optional<Ended> received(std::string_view bytes);
  Ended end_of_body();
  /// Nothing = go on.
  std::optional<Ended> check_time(Time now);
  void wait();

  bool on_head(int status, Headers headers) override;
  bool on_body(std::string_view bytes) override;
  bool make_unpacker_of_answer();
  /// False.
  bool not_unpacked(std::string_view why);

  CurlConnection& connection_;
  const UpstreamRequest& request_;
  CurlTransfer& transfer_;
  const Cancelled& cancelled_;
  bool kept_ = false;  ///< the connection is not new
  std::optional<Http1Answer> answer_;
  bool packed_ = false;  ///< and to be unpacked
  std::unique_ptr<AnswerUnpacker> unpacker_;
  std::string head_;               ///< and the body, when it is small
  std::string_view to_send_;       ///< of head_, the body or piece_
  std::string_view body_;          ///< what comes after to_send_
  std::unique_ptr<char[]> piece_;  ///< of a large body
  std::uint64_t read_ = 0;         ///< of it
  bool send_failed_ = false;
  /// What was read may not be all that is there: TLS keeps some to itself,
  /// which poll(2) does not see.
  bool more_to_read_ = false;
  bool unreadable_ = false;  ///< the large body
  std::unique_ptr<char[]> buffer_;
  Time ask_next_;
  std::string detail_;  ///< of a fault that libcurl knows nothing of
};

}  // namespace llmproxy
