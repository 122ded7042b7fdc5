// Building what a Gateway's requests share.
#include "gateway/core.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "client/no_transport.h"
#include "gateway/base_url.h"

namespace llmproxy::gateway {
namespace {

std::shared_ptr<Transport> demo_transport(const Config& config) {
  const bool needed =
      std::any_of(config.backends.begin(), config.backends.end(), is_demo);
  return needed ? make_demo_transport() : nullptr;
}

GatewayHooks with_limiter(GatewayHooks hooks, const LimitRules& rules) {
  if (hooks.limiter == nullptr) hooks.limiter = make_memory_limiter(rules);
  return hooks;
}

}  // namespace

bool is_demo(const Backend& backend) {
  return backend.base_url.starts_with(kDemoScheme);
}

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Core::Core(Config config, std::shared_ptr<Transport> transport,
           GatewayHooks hooks)
    : config_(std::move(config)),
      routes_(config_.routes),
      responses_(config_.responses),
      health_(config_.backends),
      slots_(config_.upstream.max_connections),
      budget_(config_.server.max_bytes_in_flight),
      image_slots_(config_.images.max_concurrent),
      hooks_(with_limiter(std::move(hooks), config_.limits)),
      transport_(or_none(std::move(transport))),
      demo_(demo_transport(config_)),
      model_lists_(config_.server.model_lists),
      started_(unix_now()) {}

const Backend* Core::find_backend(std::string_view name) const {
  for (const Backend& backend : config_.backends) {
    if (backend.name == name) return &backend;
  }
  return nullptr;
}

Transport& Core::transport_for(const Backend& backend) const {
  return is_demo(backend) ? *demo_ : *transport_;
}

std::string Core::next_request_id() {
  const std::string count = std::to_string(request_count_.fetch_add(1));
  return fmt::format("req_{:016x}", keyed_hash(id_seed_, count));
}

}  // namespace llmproxy::gateway
