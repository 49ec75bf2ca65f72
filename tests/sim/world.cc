#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace chimera::sim {
namespace {

constexpr std::size_t kStepsKept = 60;

}  // namespace

class Process::SimStrand : public base::Strand {
 public:
  SimStrand(Process& process, std::string name, std::function<Next()> after_work)
      : process_(process), name_(std::move(name)), after_work_(std::move(after_work)) {}

  void post(base::Work work) override {
    if (stopped_ || (process_.loses_post && process_.loses_post())) return;
    queue_.push_back(std::move(work));
  }
  void stop() override {
    while (ready()) run_one();
    stopped_ = true;
    std::erase_if(process_.strands_, [this](const auto& other) { return other.get() == this; });
  }
  std::optional<pthread_t> thread() const override { return std::nullopt; }

  const std::string& name() const { return name_; }
  bool ready() const { return again_ || !queue_.empty(); }
  void run_one() {
    if (!queue_.empty()) {
      base::Work work = std::move(queue_.front());
      queue_.pop_front();
      std::move(work)();
    }
    again_ = after_work_ && after_work_() == Next::kAgain;
  }

 private:
  Process& process_;
  const std::string name_;
  const std::function<Next()> after_work_;
  std::deque<base::Work> queue_;
  bool again_ = false;
  bool stopped_ = false;
};

Process::Process(World& world, std::string name) : world_(world), name_(std::move(name)) {
  world_.processes_.push_back(this);
}

Process::~Process() { std::erase(world_.processes_, this); }

base::TimerId Process::after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> work) {
  const Key key{world_.time_ + std::max(delay, std::chrono::nanoseconds::zero()), ++last_timer_};
  if (loses_timer && loses_timer()) work = [] {};
  timers_.emplace(key, std::move(work));
  return last_timer_;
}

bool Process::cancel(base::TimerId id) {
  const auto found = std::find_if(timers_.begin(), timers_.end(),
                                  [id](const auto& timer) { return timer.first.second == id; });
  if (found == timers_.end()) return false;
  const base::Work dropped = std::move(found->second);
  timers_.erase(found);
  return true;
}

base::SteadyTime Process::now() const { return world_.time_; }

std::shared_ptr<base::Strand> Process::strand(std::function<base::Strand::Next()> after_work) {
  strands_.push_back(std::make_shared<SimStrand>(
      *this, absl::StrCat(name_, " strand ", strands_.size()), std::move(after_work)));
  return strands_.back();
}

base::WallTime World::now() const {
  constexpr std::chrono::seconds kEpoch{1'750'000'000};
  return base::WallTime(kEpoch + time_.time_since_epoch());
}

void World::later(std::chrono::nanoseconds delay, std::string what, base::Work work) {
  air_.emplace(std::pair(time_ + delay, ++last_flight_), Flight{std::move(what), std::move(work)});
}

void World::drop_flights() {
  while (!air_.empty()) {  // What one of them held may send another.
    const auto dropped = std::exchange(air_, {});
  }
}

std::vector<World::Choice> World::choices() {
  std::vector<Choice> ready;
  for (Process* process : processes_) {
    if (!process->runs_) continue;
    for (const auto& strand : process->strands_) {
      if (!strand->ready()) continue;
      ready.push_back([this, strand] {
        note(strand->name());
        strand->run_one();
      });
    }
    auto& timers = process->timers_;  // Those of one process run in the order of their times.
    if (timers.empty() || timers.begin()->first.first > time_) continue;
    ready.push_back([this, process] {
      note(absl::StrCat(process->name_, " timer"));
      base::Work work = std::move(process->timers_.extract(process->timers_.begin()).mapped());
      std::move(work)();
    });
  }
  for (auto at = air_.begin(); at != air_.end() && at->first.first <= time_; ++at) {
    ready.push_back([this, key = at->first] {
      Flight flight = std::move(air_.extract(key).mapped());
      note(flight.what);
      std::move(flight.work)();
    });
  }
  return ready;
}

bool World::let_time_pass() {
  base::SteadyTime next = base::SteadyTime::max();
  for (const Process* process : processes_) {
    if (process->runs_ && !process->timers_.empty())
      next = std::min(next, process->timers_.begin()->first.first);
  }
  if (!air_.empty()) next = std::min(next, air_.begin()->first.first);
  if (next == base::SteadyTime::max()) return false;
  time_ = std::max(time_, next);
  return true;
}

bool World::step() {
  const std::vector<Choice> ready = choices();
  if (ready.empty()) return let_time_pass();
  // Threads take their time.
  if (rng_.percent(3)) time_ += std::chrono::microseconds(rng_.below(5000));
  ready[rng_.below(ready.size())]();
  return true;
}

void World::note(const std::string& what) {
  ++steps_;
  trace_ = mix(mix(trace_, what), static_cast<std::uint64_t>(time_.time_since_epoch().count()));
  last_.push_back(absl::StrCat("  ", time_.time_since_epoch().count() / 1000, " us ", what));
  if (last_.size() > kStepsKept) last_.pop_front();
  static const bool print = std::getenv("CHIMERA_SIM_TRACE") != nullptr;
  if (print) std::fprintf(stderr, "%s\n", last_.back().c_str());
}

std::string World::last_steps() const { return absl::StrJoin(last_, "\n"); }

}  // namespace chimera::sim
