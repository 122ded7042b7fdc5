// JsonObject: one flat JSON object as text, for a line of a log. Strings may
// hold any bytes; the output is valid JSON and pure ASCII, so neither a
// terminal nor a log reader can be fooled by what stands in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace llmproxy {

class JsonObject {
 public:
  JsonObject();
  ~JsonObject();

  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, std::int64_t value);
  void real(std::string_view name, double value);
  void flag(std::string_view name, bool value);

  /// Ends the object; once, last.
  std::string take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llmproxy
