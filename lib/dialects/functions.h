// What every dialect defines, in its namespace: the functions of its row
// (llmproxy/dialect.h), under the same names in all.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "json/json.h"
#include "llmproxy/dialect.h"

// Prototypes; a semicolon goes behind it.
#define LLMPROXY_DIALECT_FUNCTIONS                                      \
  Result<ChatRequest> decode_request(const json::Value& body,           \
                                     const RequestHead& head);          \
  Result<void> encode_request(                                          \
      const ChatRequest& request, const EncodeOptions& options,         \
      RequestContext& context, std::string& out, Losses& losses);       \
  Result<ChatResponse> decode_response(const json::Value& body,         \
                                       Losses& losses);                 \
  void encode_response(const ChatResponse& response,                    \
                       const RequestContext& context, std::string& out, \
                       Losses& losses);                                 \
  Error decode_error(int status, const Headers& headers,                \
                     std::string_view body);                            \
  bool is_error(const json::Value& body);                               \
  int encode_error(const Error& error, std::string& out);               \
  std::unique_ptr<StreamDecoder> new_stream_decoder(                    \
      const RequestContext& context);                                   \
  std::unique_ptr<StreamEncoder> new_stream_encoder(                    \
      const RequestContext& context);                                   \
  Usage read_answer_usage(const json::Value& body)

// Their members in the dialect's row, the last ones that every row has; a comma
// goes behind it.
#define LLMPROXY_DIALECT_MEMBERS                                          \
  .decode_request = decode_request, .encode_request = encode_request,     \
  .decode_response = decode_response, .encode_response = encode_response, \
  .decode_error = decode_error, .is_error = is_error,                     \
  .encode_error = encode_error, .new_stream_decoder = new_stream_decoder, \
  .new_stream_encoder = new_stream_encoder, .read_usage = read_answer_usage
