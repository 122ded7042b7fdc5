#include "gateway/health.h"

#include "gateway/core.h"
#include "json/writer.h"

namespace llmproxy::gateway {
namespace {

/// Statuses from 500, but for what the client itself caused (499 is its
/// leaving).
bool is_providers_fault(int status) { return status >= 500; }

std::string_view state_of(std::int64_t requests, bool failing) {
  if (requests == 0) return "unused";
  return failing ? "failing" : "ok";
}

}  // namespace

Health::Health(const std::vector<Backend>& backends) {
  for (const Backend& backend : backends) {
    Row& row = rows_.emplace_back();
    row.name = backend.name;
    row.dialect = backend.dialect == nullptr ? "" : backend.dialect->name;
  }
}

void Health::note(const RequestRecord& record) {
  if (record.backend.empty()) return;
  for (Row& row : rows_) {
    if (row.name != record.backend) continue;
    const bool failed = is_providers_fault(record.status);
    row.requests.fetch_add(1, std::memory_order_relaxed);
    if (failed) row.errors.fetch_add(1, std::memory_order_relaxed);
    row.failing.store(failed, std::memory_order_relaxed);
    row.last_status.store(record.status, std::memory_order_relaxed);
    row.last.store(unix_now(), std::memory_order_relaxed);
    return;
  }
}

std::string Health::report() const {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.member("status", "ok");
  w.key("providers");
  w.begin_object();
  for (const Row& row : rows_) {
    const std::int64_t requests = row.requests.load(std::memory_order_relaxed);
    w.key(row.name);
    w.begin_object();
    w.member("status",
             state_of(requests, row.failing.load(std::memory_order_relaxed)));
    w.member_if("dialect", row.dialect);
    w.member("requests", requests);
    w.member("errors", row.errors.load(std::memory_order_relaxed));
    if (requests > 0) {
      w.member("last_status",
               std::int64_t{row.last_status.load(std::memory_order_relaxed)});
      w.member("seconds_ago",
               unix_now() - row.last.load(std::memory_order_relaxed));
    }
    w.end_object();
  }
  w.end_object();
  w.end_object();
  return out;
}

}  // namespace llmproxy::gateway
