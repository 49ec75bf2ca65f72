#include "sdk-cpp/src/conditions.h"

#include <utility>

namespace chimera::sdk {

bool Conditions::ask(const std::function<bool()>& condition) {
  struct Restore {
    bool& read_only;
    const bool before;
    ~Restore() { read_only = before; }
  } restore{run_.read_only, std::exchange(run_.read_only, true)};
  return condition();
}

bool Conditions::ask_all(absl::FunctionRef<void(detail::TaskState&)> wake) {
  bool woke = false;
  for (auto at = conditions_.begin(); at != conditions_.end();) {
    Condition& condition = **at;
    try {
      condition.satisfied = ask(*condition.holds);
    } catch (...) {
      condition.error = std::current_exception();
    }
    if (!condition.satisfied && condition.error == nullptr) {
      ++at;
      continue;
    }
    at = conditions_.erase(at);
    wake(*condition.task);
    woke = true;
  }
  return woke;
}

}  // namespace chimera::sdk
