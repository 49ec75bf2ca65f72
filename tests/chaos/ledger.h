// Ledger, everything that the server has acknowledged or shown to the load's clients and workers.
// Any thread.
#ifndef CHIMERA_TESTS_CHAOS_LEDGER_H_
#define CHIMERA_TESTS_CHAOS_LEDGER_H_

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/base/api.h"

namespace chimera::chaos {

struct Acknowledged {
  std::map<std::string, std::string> started;                // Workflow id -> run id of the start.
  std::map<std::string, std::string> finished;               // Workflow id -> result.
  std::map<std::string, std::string> updates;                // Update id -> workflow id.
  std::set<std::pair<std::string, std::string>> signals;     // Workflow id, signal name.
  std::set<std::pair<std::string, std::string>> tasks;       // Run id, identity that completed it.
  std::set<std::pair<std::string, std::string>> activities;  // Run id, result.
  std::map<std::string, std::vector<std::string>> seen;  // Run id -> serialized events, as read.
  std::vector<std::string> wrong;                        // Answers that no correct server gives.
};

class Ledger {
 public:
  template <class Change>
  void note(Change change) {
    std::lock_guard lock(mutex_);
    change(all_);
  }
  void wrong(std::string what) {
    note([&](Acknowledged& all) { all.wrong.push_back(std::move(what)); });
  }
  // When nobody writes any more.
  const Acknowledged& all() const { return all_; }

 private:
  std::mutex mutex_;
  Acknowledged all_;
};

}  // namespace chimera::chaos

#endif  // CHIMERA_TESTS_CHAOS_LEDGER_H_
