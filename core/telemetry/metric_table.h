// MetricTable, instruments by a key that is known only at run time (an RPC, an activity type).
// Reading takes no lock; the first use of a key copies the table. Any thread.
#ifndef CHIMERA_CORE_TELEMETRY_METRIC_TABLE_H_
#define CHIMERA_CORE_TELEMETRY_METRIC_TABLE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace chimera::core {

template <class Value>
class MetricTable {
 public:
  // The value of `key`, made by `make` when there is none. Shared with the table: it outlives both.
  std::shared_ptr<Value> of(const std::string& key,
                            const std::function<std::shared_ptr<Value>()>& make) {
    if (std::shared_ptr<Value> known = find(key)) return known;
    absl::MutexLock lock(&writers_);
    if (std::shared_ptr<Value> known = find(key)) return known;
    auto next = std::make_shared<Map>(*map_.load());
    std::shared_ptr<Value> value = make();
    next->emplace(key, value);
    map_.store(std::move(next));
    return value;
  }

 private:
  using Map = absl::flat_hash_map<std::string, std::shared_ptr<Value>>;

  std::shared_ptr<Value> find(const std::string& key) const {
    std::shared_ptr<const Map> map = map_.load();
    auto found = map->find(key);
    return found == map->end() ? nullptr : found->second;
  }

  absl::Mutex writers_;
  std::atomic<std::shared_ptr<const Map>> map_{std::make_shared<const Map>()};
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_TELEMETRY_METRIC_TABLE_H_
