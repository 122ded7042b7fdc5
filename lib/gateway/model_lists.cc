#include "gateway/model_lists.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "client/caught.h"
#include "gateway/destination.h"
#include "gateway/exchange.h"
#include "gateway/offload.h"
#include "gateway/redact.h"
#include "gateway/upstream_answer.h"

namespace llmproxy::gateway {
namespace {

using Clock = std::chrono::steady_clock;

/// Larger pages are none: a thousand models with all their prices take less
/// than a megabyte. Bytes.
constexpr std::size_t kMaxPage = std::size_t{8} << 20;
/// How often who waits looks whether anybody still wants the answer.
constexpr std::chrono::milliseconds kTick{200};

Result<ModelPage> page_of(const Backend& backend, const Result<void>& result,
                          UpstreamAnswer& answer) {
  if (!result) return result.error();
  if (!is_success(answer.status) || answer.cut || answer.no_room) {
    return upstream_malformed("no list");
  }
  redact(backend, HttpRequest{}, answer.body);
  remove_bom(answer.body);
  LLMPROXY_ASSIGN(ModelPage page, read_model_page(answer.body));
  if (!has_model_pages(backend)) page.next.clear();
  return page;
}

}  // namespace

/// One page on its way. Borrows all.
class ModelLists::Fetch final : public ResponseHandler {
 public:
  Fetch(ModelLists& lists, const Core& core) : lists_(lists), core_(core) {
    answer_.lease = ByteLease(&core.budget());
  }

  void on_head(int status, const Headers& headers) override {
    answer_.status = status;
    answer_.headers = headers;
  }
  Flow on_body(std::string_view bytes) override {
    return collect(bytes, kMaxPage, answer_);
  }
  void on_done(const Result<void>& result) override {
    core_.slots().give_back();
    const Lock lock(lists_.mutex_);
    result_ = result;
    lists_.changed_.notify_all();
  }

  // With the mutex held.
  bool over() const { return result_.has_value(); }
  void started(std::shared_ptr<Transfer> transfer) {
    transfer_ = std::move(transfer);
  }
  std::shared_ptr<Transfer> transfer() const { return transfer_; }

  /// Once it is over.
  Result<ModelPage> page(const Backend& backend) {
    if (!result_) return upstream_malformed("no answer");
    return page_of(backend, *result_, answer_);
  }
  std::size_t bytes() const { return answer_.body.size(); }

 private:
  ModelLists& lists_;
  const Core& core_;
  UpstreamAnswer answer_;
  std::optional<Result<void>> result_;
  std::shared_ptr<Transfer> transfer_;
};

struct ModelLists::Entry {
  Entry(const Backend& of, std::chrono::milliseconds max_age)
      : backend(&of), list(max_age) {}

  const Backend* backend;
  ModelList list;
  std::shared_ptr<Fetch> fetch;  ///< null = nothing is on its way
};

ModelLists::ModelLists(std::chrono::milliseconds max_age) : max_age_(max_age) {}

ModelLists::~ModelLists() {
  Lock lock(mutex_);
  for (const auto& [name, entry] : entries_) {
    if (!entry->fetch) continue;
    const std::shared_ptr<Transfer> transfer = entry->fetch->transfer();
    lock.unlock();
    if (transfer) transfer->cancel();
    lock.lock();
    changed_.wait(lock, [&fetch = *entry->fetch] { return fetch.over(); });
  }
}

ModelLists::Entry& ModelLists::entry_of(const Backend& backend) {
  std::unique_ptr<Entry>& entry = entries_[backend.name];
  if (!entry) entry = std::make_unique<Entry>(backend, max_age_);
  return *entry;
}

/// An answer that came.
void ModelLists::read(Entry& entry, Lock& lock) {
  if (!entry.fetch || !entry.fetch->over()) return;
  // Taken out, so that nobody else reads it; the list says that one asks.
  const std::shared_ptr<Fetch> fetch = std::exchange(entry.fetch, nullptr);
  lock.unlock();
  Result<ModelPage> page =
      run_sized(fetch->bytes(), [&] { return fetch->page(*entry.backend); });
  lock.lock();
  if (page) {
    entry.list.take(*std::move(page), Clock::now());
  } else {
    entry.list.fail(Clock::now());
  }
  changed_.notify_all();
}

/// The next question, where one is due.
void ModelLists::start(Exchange& exchange, Entry& entry, Lock& lock) {
  const std::optional<std::string> page = entry.list.ask(Clock::now());
  if (!page) return;
  const Core& core = exchange.core;
  // Those who want an answer of a model come first.
  if (!core.slots().try_take()) return entry.list.give_up();
  lock.unlock();
  const Backend& backend = *entry.backend;
  UpstreamRequest request = model_page_request(backend, *page);
  const bool leads = !!see_off(exchange, backend, request);
  auto fetch = std::make_shared<Fetch>(*this, core);
  lock.lock();
  if (!leads) {
    core.slots().give_back();
    return entry.list.fail(Clock::now());
  }
  entry.fetch = fetch;
  lock.unlock();
  std::shared_ptr<Transfer> transfer;
  const auto thrown = failed("the transport", [&] {
    transfer = core.transport_for(backend).start(std::move(request), *fetch);
  });
  // Else the end of this object would wait for it.
  if (thrown) fetch->on_done(*thrown);
  lock.lock();
  fetch->started(std::move(transfer));
}

void ModelLists::refresh(Exchange& exchange,
                         const std::vector<const Backend*>& backends) {
  if (max_age_.count() == 0) return;
  Lock lock(mutex_);
  for (;;) {
    std::optional<Clock::time_point> until;
    for (const Backend* backend : backends) {
      Entry& entry = entry_of(*backend);
      read(entry, lock);
      start(exchange, entry, lock);
      if (!entry.list.is_first()) continue;
      const auto end = entry.list.begun() + kFirstWait;
      if (end > Clock::now()) until = std::max(until.value_or(end), end);
    }
    if (!until) return;
    changed_.wait_until(lock, std::min(*until, Clock::now() + kTick));
    lock.unlock();
    const bool gone =
        exchange.core.ending().begun() || exchange.answer.client_gone();
    lock.lock();
    if (gone) return;
  }
}

std::shared_ptr<const ModelNames> ModelLists::names(
    std::string_view backend) const {
  const Lock lock(mutex_);
  const auto found = entries_.find(backend);
  return found == entries_.end() ? nullptr : found->second->list.names();
}

void refresh_models(Exchange& exchange) {
  const Core& core = exchange.core;
  std::vector<const Backend*> backends;
  for (const Route* route : core.routes().patterns(exchange.mount.prefix)) {
    const Backend* backend = core.find_backend(route->backend);
    if (backend == nullptr || !can_list_models(*backend)) continue;
    if (std::find(backends.begin(), backends.end(), backend) ==
        backends.end()) {
      backends.push_back(backend);
    }
  }
  core.model_lists().refresh(exchange, backends);
}

}  // namespace llmproxy::gateway
