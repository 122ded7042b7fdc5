#include "client/whole_answer.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "client/answer_reader.h"
#include "translate/answer_filter.h"

namespace llmproxy {
namespace {

/// Larger answers are refused. Bytes.
constexpr std::size_t kMaxAnswer = std::size_t{64} << 20;

Result<ChatResponse> decode(const OutgoingCall& call, std::string_view body,
                            Losses& losses) {
  LLMPROXY_ASSIGN(ChatResponse response,
                  decode_response(*call.dialect, body, losses));
  return filter_answer(std::move(response), call.context, losses);
}

}  // namespace

void WholeAnswer::on_head(int status, const Headers& headers) {
  status_ = status;
  headers_ = headers;
}

Flow WholeAnswer::on_body(std::string_view bytes) {
  const std::size_t most = is_success(status_) ? kMaxAnswer : kMaxErrorBody;
  cut_ = bytes.size() > most - body_.size();
  body_.append(bytes.substr(0, most - body_.size()));
  return cut_ ? Flow::stop : Flow::go_on;
}

Result<ChatResponse> WholeAnswer::read(const OutgoingCall& call,
                                       Losses* losses) {
  if (status_ != 0 && !is_success(status_)) {
    return call.dialect->decode_error(status_, headers_, body_);
  }
  if (cut_) {
    return upstream_malformed(fmt::format(
        "the upstream's answer is larger than {} bytes", kMaxAnswer));
  }
  if (!result_) return std::move(result_).error();
  Losses found;
  Result<ChatResponse> response = decode(call, body_, found);
  add_losses(found, losses);
  return response;
}

}  // namespace llmproxy
