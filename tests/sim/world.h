// World, the one thread and the virtual time of a simulation: whatever is ready runs in an order
// drawn from the seed. A Process is what runs and dies together: its strands and timers. One
// thread; processes outlive what they run.
#ifndef CHIMERA_TESTS_SIM_WORLD_H_
#define CHIMERA_TESTS_SIM_WORLD_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/executor.h"
#include "core/base/timers.h"
#include "tests/sim/rng.h"

namespace chimera::sim {

class World;

class Process : public base::Timers, public base::Executor {
 public:
  Process(World& world, std::string name);
  ~Process() override;

  base::TimerId after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> work) override;
  bool cancel(base::TimerId id) override;
  base::SteadyTime now() const override;
  std::shared_ptr<base::Strand> strand(std::function<base::Strand::Next()> after_work) override;

  const std::string& name() const { return name_; }
  World& world() { return world_; }
  bool runs() const { return runs_; }
  // Killed: nothing of it runs any more.
  void kill() { runs_ = false; }
  // Goes on where it was killed, so that what it holds can be given up in order.
  void revive() { runs_ = true; }

  // To imitate faults: what these say yes to never runs.
  std::function<bool()> loses_post, loses_timer;

 private:
  friend class World;
  class SimStrand;
  using Key = std::pair<base::SteadyTime, base::TimerId>;

  World& world_;
  const std::string name_;
  bool runs_ = true;
  std::map<Key, base::Work> timers_;
  base::TimerId last_timer_ = 0;
  std::vector<std::shared_ptr<SimStrand>> strands_;
};

class World : public base::Clock {
 public:
  explicit World(std::uint64_t seed) : rng_(seed, "world") {}

  base::WallTime now() const override;
  base::SteadyTime steady() const override { return time_; }
  Rng& rng() { return rng_; }

  // What is on its way between processes. What is due arrives in any order.
  void later(std::chrono::nanoseconds delay, std::string what, base::Work work);
  // Before what they belong to goes away: drops what has not arrived.
  void drop_flights();
  // Runs one thing, or lets time pass until there is one. False: nothing will ever happen.
  bool step();

  // Equal for equal courses of things. CHIMERA_SIM_TRACE in the environment prints them.
  std::uint64_t trace() const { return trace_; }
  std::uint64_t steps() const { return steps_; }
  void note(const std::string& what);
  std::string last_steps() const;  // A line each.

 private:
  friend class Process;
  struct Flight {
    std::string what;
    base::Work work;
  };
  using Choice = std::function<void()>;

  std::vector<Choice> choices();
  bool let_time_pass();

  Rng rng_;
  base::SteadyTime time_{std::chrono::hours(1)};
  std::vector<Process*> processes_;
  std::map<std::pair<base::SteadyTime, std::uint64_t>, Flight> air_;
  std::uint64_t last_flight_ = 0;
  std::uint64_t trace_ = 0, steps_ = 0;
  std::deque<std::string> last_;
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_WORLD_H_
