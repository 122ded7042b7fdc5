#include "client/whole_answer.h"

#include <utility>

#include "client/answer_reader.h"
#include "translate/answer_filter.h"

namespace llmproxy {
namespace {

Result<ChatResponse> decode(const OutgoingCall& call, std::string body,
                            Losses& losses) {
  LLMPROXY_ASSIGN(ChatResponse response,
                  decode_response(*call.dialect, std::move(body), losses));
  return filter_answer(std::move(response), call.context, losses);
}

}  // namespace

void WholeAnswer::on_head(int status, const Headers& headers) {
  status_ = status;
  headers_ = headers;
}

Flow WholeAnswer::on_body(std::string_view bytes) {
  body_ += bytes;
  return Flow::go_on;
}

Result<ChatResponse> WholeAnswer::read(const OutgoingCall& call,
                                       Losses* losses) {
  if (status_ != 0 && !is_success(status_)) {
    return call.dialect->decode_error(status_, headers_, body_);
  }
  if (!result_) return std::move(result_).error();
  Losses found;
  Result<ChatResponse> response = decode(call, std::move(body_), found);
  add_losses(found, losses);
  return response;
}

}  // namespace llmproxy
