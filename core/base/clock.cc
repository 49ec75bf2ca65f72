#include "core/base/clock.h"

namespace chimera::base {
namespace {

class SystemClock final : public Clock {
 public:
  WallTime now() const override { return std::chrono::system_clock::now(); }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

Clock& system_clock() {
  static SystemClock* clock = new SystemClock;
  return *clock;
}

}  // namespace chimera::base
