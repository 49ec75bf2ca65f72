#include "core/rpc/method_names.h"

#include <unordered_set>

#include "absl/synchronization/mutex.h"

namespace chimera::core {

std::string_view interned_method(const std::string& path) {
  static absl::Mutex mutex(absl::kConstInit);
  static auto* names = new std::unordered_set<std::string>;
  absl::MutexLock lock(&mutex);
  return *names->insert(path).first;
}

}  // namespace chimera::core
