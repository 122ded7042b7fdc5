// traits_for(): what the table of models says (lib/dialects/models.cc).
#include <catch2/catch.hpp>
#include <string_view>

#include "llmproxy/dialect.h"

namespace llmproxy {
namespace {

TEST_CASE("models: whose models Bedrock serves") {
  const Dialect& converse = *find_dialect("bedrock-converse");
  struct Vendor {
    std::string_view id;
    bool anthropic;
  };
  constexpr Vendor kIds[] = {
      {"amazon.nova-pro-v1:0", false},
      {"us.meta.llama4-scout-17b-instruct-v1:0", false},
      {"us-gov.writer.palmyra-x5-v1:0", false},
      {"arn:aws:bedrock:us-east-1::foundation-model/ai21.jamba-1-5", false},
      {"openai.gpt-oss-120b-1:0", false},
      {"us.anthropic.claude-newest-9-v1:0", true},
      {"claude-sonnet-4-5", true},
      {"arn:aws:bedrock:us-east-1:1:application-inference-profile/x9", true},
      {"x9", true},
  };
  for (const Vendor& row : kIds) {
    INFO(row.id);
    CHECK(traits_for(converse, row.id).anthropic_fields == row.anthropic);
  }
}

}  // namespace
}  // namespace llmproxy
