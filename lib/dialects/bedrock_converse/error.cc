// Amazon Bedrock Converse: errors, both ways. They are those of all services of
// Amazon's.
#include "dialects/aws_family/errors.h"
#include "dialects/bedrock_converse/tables.h"

namespace llmproxy::bedrock_converse {

Error read_error(std::string_view name, std::string_view data) {
  return read_aws_exception(name, data);
}

Error decode_error(int status, const Headers& headers, std::string_view body) {
  return decode_aws_error(status, headers, body);
}

bool is_error(const json::Value& body) { return is_aws_error(body); }

int encode_error(const Error& error, std::string& out) {
  return encode_aws_error(error, out);
}

}  // namespace llmproxy::bedrock_converse
