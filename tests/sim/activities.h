// SimActivities, the activities of one simulated worker: how each attempt goes - its result, a
// failure, an endless wait - follows from its input and attempt alone; when, from chance. Owned by
// the worker's host, outlives the core's worker. One thread.
#ifndef CHIMERA_TESTS_SIM_ACTIVITIES_H_
#define CHIMERA_TESTS_SIM_ACTIVITIES_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/language/activity_language.h"
#include "tests/sim/world.h"

namespace chimera::sim {

// What all workers of a simulation did, and what they did wrong.
struct ActivityBook {
  // By run and activity id: the results that attempts have given.
  std::map<std::pair<std::string, std::string>, std::set<std::string>> results;
  std::map<std::pair<std::string, std::string>, int> attempts;
  std::vector<std::string> violations;
  int local = 0, remote = 0, cancelled = 0;
};

class SimActivities : public core::ActivityLanguage {
 public:
  struct Limits {
    int remote = 1, local = 1;  // At a time.
  };
  SimActivities(Process& process, ActivityBook& book, Limits limits)
      : process_(process), book_(book), limits_(limits) {}

  std::string name() const override { return "sim"; }
  void start(core::ActivityTask task) override;
  void cancel(const std::string& task_token, const core::ActivityCancellation& why) override;

  bool idle() const { return running_.empty(); }

 private:
  struct Running {
    core::ActivityTask task;
    std::uint64_t luck = 0;
    bool told = false;
  };

  void end(const std::string& token, core::ActivityResult result);
  void finish(const std::string& token);
  void beat(const std::string& token);
  void count_running();

  Process& process_;
  ActivityBook& book_;
  const Limits limits_;
  std::map<std::string, Running> running_;  // By task token.
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_ACTIVITIES_H_
