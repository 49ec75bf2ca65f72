// Clock, the only source of time in the rooms of core and server; tests and time skipping put their
// own in its place.
#ifndef CHIMERA_CORE_BASE_CLOCK_H_
#define CHIMERA_CORE_BASE_CLOCK_H_

#include <chrono>

namespace chimera::base {

using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

// Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;       // What a calendar shows; may jump.
  virtual SteadyTime steady() const = 0;  // For intervals; never goes back.
};

// The machine's clock. Lives for ever.
Clock& system_clock();

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_CLOCK_H_
