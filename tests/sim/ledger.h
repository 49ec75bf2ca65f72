// Ledger, the tasks that a worker was given and what became of them, as the network saw it. One
// worker's; one thread.
#ifndef CHIMERA_TESTS_SIM_LEDGER_H_
#define CHIMERA_TESTS_SIM_LEDGER_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "core/base/api.h"

namespace chimera::sim {

class Ledger {
 public:
  // A reply arrived at the worker; both serialized.
  void arrived(std::string_view method, const std::string& request, const std::string& reply);
  // A request came to its end: the server took it or refused it for good, or it was given up.
  void ended(std::string_view method, const std::string& request, const absl::Status& status);

  // What a worker that has ended in order still owes.
  std::vector<std::string> owed() const;
  int tasks() const { return tasks_; }
  int activities() const { return static_cast<int>(activities_.size()); }
  int eager_activities() const { return eager_; }
  int inline_tasks() const { return inline_; }

 private:
  using Task = api::workflowservice::v1::PollWorkflowTaskQueueResponse;

  void given(const Task& task);

  // Of a run only the newest task counts: one that is given out again takes the older's place.
  std::map<std::string, std::string> newest_;  // By run: its token; empty once it is settled.
  std::map<std::string, bool> queries_, activities_;  // By token: whether settled.
  int tasks_ = 0, eager_ = 0, inline_ = 0;
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_LEDGER_H_
