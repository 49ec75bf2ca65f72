// Ledger, everything that the server has acknowledged or shown to the load's clients and workers.
// Any thread.
#ifndef CHIMERA_TESTS_CHAOS_LEDGER_H_
#define CHIMERA_TESTS_CHAOS_LEDGER_H_

#include <chrono>
#include <condition_variable>
#include <functional>
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
  std::set<std::pair<std::string, std::int64_t>> scheduled;  // Schedule, time in seconds.
  std::map<std::string, std::string> kept;  // Workflow id -> run id: what batches are about.
  std::set<std::string> batches;            // Job id and signal name.
  struct Pinned {
    std::string run_id;
    std::string build;  // That runs it; empty: one of them.
  };
  std::map<std::string, Pinned> pinned;                  // By workflow id.
  std::string current, ramping;                          // Builds of the deployment.
  std::map<std::string, std::string> written;            // Build -> its note.
  std::map<std::string, std::vector<std::string>> seen;  // Run id -> serialized events, as read.
  std::vector<std::string> wrong;                        // Answers that no correct server gives.
};

class Ledger {
 public:
  template <class Change>
  void note(Change change) {
    std::lock_guard lock(mutex_);
    change(all_);
    if (++notes_ == at_once_after_ && at_once_) at_once_();
    changed_.notify_all();
  }
  void wrong(std::string what) {
    note([&](Acknowledged& all) { all.wrong.push_back(std::move(what)); });
  }
  // Waits until `count` more notes have been made, or the server has been silent for too long. The
  // last one does `at_once` on its own thread: nothing is closer behind an acknowledgement.
  void wait_for_notes(int count, std::function<void()> at_once = {},
                      std::chrono::seconds patience = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex_);
    const std::int64_t until = notes_ + count;
    at_once_ = std::move(at_once);
    at_once_after_ = until;
    changed_.wait_for(lock, patience, [this, until] { return notes_ >= until; });
    at_once_ = {};
  }
  // When nobody writes any more.
  const Acknowledged& all() const { return all_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t notes_ = 0, at_once_after_ = 0;
  std::function<void()> at_once_;
  Acknowledged all_;
};

}  // namespace chimera::chaos

#endif  // CHIMERA_TESTS_CHAOS_LEDGER_H_
