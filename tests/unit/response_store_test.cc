// Stored answers: bounded in number, bytes and age, and private.
#include "gateway/response_store.h"

#include <catch2/catch.hpp>

namespace llmproxy::gateway {
namespace {

using std::chrono::seconds;

StoredResponse stored(const std::string& id, std::size_t bytes = 10) {
  return {id, std::string(bytes, 'b'), "{}"};
}

TEST_CASE("an answer is found by the client that got it only") {
  ResponseStore store({});
  store.put(1, stored("resp_1"));
  REQUIRE(store.find(1, "resp_1") != nullptr);
  CHECK(store.find(1, "resp_1")->items == "{}");
  CHECK(store.find(2, "resp_1") == nullptr);
  CHECK(store.find(1, "resp_2") == nullptr);
  CHECK_FALSE(store.remove(2, "resp_1"));
  CHECK(store.remove(1, "resp_1"));
  CHECK(store.find(1, "resp_1") == nullptr);
  CHECK_FALSE(store.remove(1, "resp_1"));
}

TEST_CASE("answers go when their time is over") {
  ResponseStoreConfig config;
  config.time_to_live = seconds(60);
  ResponseStore store(config);
  const ResponseStore::Clock::time_point start{};
  store.put(1, stored("a"), start);
  store.put(1, stored("b"), start + seconds(30));
  CHECK(store.find(1, "a", start + seconds(59)) != nullptr);
  CHECK(store.find(1, "a", start + seconds(60)) == nullptr);
  CHECK(store.find(1, "b", start + seconds(60)) != nullptr);
}

TEST_CASE("the oldest answers make room") {
  ResponseStoreConfig config;
  config.max_entries = 2;
  ResponseStore few(config);
  for (const char* id : {"a", "b", "c"}) few.put(1, stored(id));
  CHECK(few.find(1, "a") == nullptr);
  CHECK(few.find(1, "b") != nullptr);
  CHECK(few.find(1, "c") != nullptr);

  config.max_entries = 100;
  config.max_bytes = 10'000;
  ResponseStore small(config);
  small.put(1, stored("a", 4000));
  small.put(1, stored("b", 4000));
  small.put(1, stored("c", 4000));
  CHECK(small.find(1, "a") == nullptr);
  CHECK(small.find(1, "c") != nullptr);
  small.put(1, stored("huge", 20'000));
  CHECK(small.find(1, "huge") == nullptr);
  CHECK(small.find(1, "c") != nullptr);
}

TEST_CASE("the same id again does not replace the answer") {
  ResponseStore store({});
  store.put(1, stored("a"));
  StoredResponse next = stored("a");
  const std::string items = next.items;
  next.items = "[]";
  store.put(1, next);
  CHECK(store.find(1, "a")->items == items);
  // Another's is another answer.
  store.put(2, next);
  CHECK(store.find(2, "a")->items == "[]");
  CHECK(store.find(1, "a")->items == items);
}

TEST_CASE("a store for nothing keeps nothing") {
  ResponseStoreConfig config;
  config.max_entries = 0;
  ResponseStore store(config);
  store.put(1, stored("a"));
  CHECK(store.find(1, "a") == nullptr);
}

TEST_CASE("small answers count with what it takes to keep them") {
  ResponseStoreConfig config;
  config.max_entries = 1'000'000;
  config.max_bytes = 100'000;
  ResponseStore store(config);
  constexpr int kAnswers = 1000;
  for (int i = 0; i < kAnswers; ++i) {
    store.put(1, stored(std::to_string(i), 0));
  }
  int kept = 0;
  for (int i = 0; i < kAnswers; ++i) {
    kept += store.find(1, std::to_string(i)) != nullptr ? 1 : 0;
  }
  CHECK(kept > 100);
  CHECK(kept < 500);
}

}  // namespace
}  // namespace llmproxy::gateway
