#include "server/matching/limits.h"

namespace chimera::server {
namespace {
constexpr std::size_t kKeysKept = 1000;  // More are looked through when one is added.
}  // namespace

QueueLimits::Effective QueueLimits::effective() const {
  if (configured_ && *configured_ < kUnlimitedRate)
    return {*configured_, enums::RATE_LIMIT_SOURCE_API};
  if (!configured_ && workers_ && *workers_ < kUnlimitedRate)
    return {*workers_, enums::RATE_LIMIT_SOURCE_WORKER};
  return {};
}

void QueueLimits::apply(WallTime now) {
  const Effective effective = this->effective();
  whole_ = effective.source == enums::RATE_LIMIT_SOURCE_SYSTEM
               ? Rate()
               : Rate::per_second(effective.per_second);
  whole_limiter_.change(whole_, now);
}

void QueueLimits::set_worker_rate(std::optional<double> per_second, WallTime now) {
  if (per_second == workers_) return;
  workers_ = per_second;
  apply(now);
}

void QueueLimits::configure(const taskqueue::TaskQueueConfig& config, WallTime now) {
  const auto& whole = config.queue_rate_limit();
  configured_.reset();
  if (whole.has_rate_limit()) configured_ = whole.rate_limit().requests_per_second();
  apply(now);
  const auto& per_key = config.fairness_keys_rate_limit_default();
  per_key_ = per_key.has_rate_limit() ? Rate::per_second(per_key.rate_limit().requests_per_second())
                                      : Rate();
  if (!per_key_.limited()) key_limiters_.clear();
  for (auto& [key, limiter] : key_limiters_) limiter.change(per_key_, now);
  weights_.clear();
  for (const auto& [key, weight] : config.fairness_weight_overrides()) weights_[key] = weight;
}

WallTime QueueLimits::ready(const std::string& key) const {
  if (per_key_.never()) return kNever;
  if (!per_key_.limited()) return kUnset;
  auto found = key_limiters_.find(key);
  return found == key_limiters_.end() ? kUnset : found->second.ready();
}

void QueueLimits::take(const MatchTask& task, WallTime now) {
  if (whole_.limited()) whole_limiter_.take(whole_, now);
  if (!per_key_.limited()) return;
  if (key_limiters_.size() >= kKeysKept)
    absl::erase_if(key_limiters_, [now](const auto& item) { return item.second.rested(now); });
  key_limiters_[task.fairness_key].take(per_key_.times(weight(task)), now);
}

double QueueLimits::weight(const MatchTask& task) const {
  double weight = task.fairness_weight;
  if (!weights_.empty()) {
    if (auto found = weights_.find(task.fairness_key); found != weights_.end())
      weight = found->second;
  }
  return weight > 0 ? weight : 1;
}

}  // namespace chimera::server
