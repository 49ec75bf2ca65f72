#include "server/engine/nexus/breakers.h"

#include "server/engine/engine.h"

namespace chimera::server {
namespace {

constexpr int kFailuresMax = 5;
constexpr Nanos kRest = std::chrono::minutes{1};

}  // namespace

bool NexusBreakers::is_open(const Destination& to) const {
  const auto found = all_.find(to);
  return found != all_.end() && found->second->open;
}

bool NexusBreakers::allows(const Destination& to, absl::AnyInvocable<void()> again) {
  const auto found = all_.find(to);
  if (found == all_.end() || !found->second->open) return true;
  Breaker& breaker = *found->second;
  if (!breaker.resting && !breaker.probing) {
    breaker.probing = true;
    return true;
  }
  breaker.waiting.push_back(std::move(again));
  return false;
}

void NexusBreakers::ended(const Destination& to, bool is_up) {
  const auto found = all_.find(to);
  if (is_up) {
    if (found == all_.end() || found->second->resting) return;
    wake(*found->second);
    all_.erase(found);
    return;
  }
  auto& breaker = found != all_.end() ? found->second : all_[to];
  if (breaker == nullptr) breaker = std::make_unique<Breaker>();
  if (breaker->resting) return;  // One that went before.
  if (breaker->probing || ++breaker->failures > kFailuresMax) rest(to, *breaker);
}

void NexusBreakers::rest(const Destination& to, Breaker& breaker) {
  breaker.open = breaker.resting = true;
  breaker.probing = false;
  if (breaker.timer == nullptr) {
    breaker.timer = std::make_unique<Timer>([this, to] {
      Breaker& rested = *all_.at(to);
      rested.resting = false;
      wake(rested);
    });
  }
  engine_.timers().arm(*breaker.timer, add_saturated(engine_.now(), kRest));
}

void NexusBreakers::wake(Breaker& breaker) {
  for (auto& again : std::exchange(breaker.waiting, {})) engine_.follow_up(std::move(again));
}

}  // namespace chimera::server
