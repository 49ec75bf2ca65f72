// RunData, what the parts of one run share: its task, where its history stands, what its code has
// commanded. Plain data, since the parts trust each other; all of it belongs to the run's lane.
#ifndef CHIMERA_CORE_WORKFLOW_RUN_DATA_H_
#define CHIMERA_CORE_WORKFLOW_RUN_DATA_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "core/history/buffer.h"
#include "core/machines/change_versions.h"
#include "core/machines/dialect.h"
#include "core/machines/patch.h"
#include "core/machines/properties.h"
#include "core/machines/record.h"
#include "core/machines/update.h"
#include "core/workflow/machine_table.h"
#include "core/workflow/run.h"

namespace chimera::core {

// A command's event that has been applied. It lives in the page.
struct AppliedEvent {
  const HistoryEvent* event;
  std::shared_ptr<const HistoryPage> page;
};

inline constexpr std::size_t kEventsBefore = 3;

struct RunData {
  explicit RunData(RunOptions options_in) : options(std::move(options_in)) {}

  // Commands will be sent.
  bool live() const { return !replaying && !options.replay_only; }
  void note_before(const HistoryEvent& event, std::shared_ptr<const HistoryPage> page) {
    if (before.size() == kEventsBefore) before.erase(before.begin());
    before.push_back({&event, std::move(page)});
  }

  RunOptions options;
  std::vector<RunOutput>* outputs = nullptr;  // Of the step under way.

  // The task under way.
  std::shared_ptr<const api::workflowservice::v1::PollWorkflowTaskQueueResponse> task;
  std::uint32_t activations = 0;  // Of it, without queries.
  bool caught_up = false;         // Its own events have been applied, live.
  std::chrono::nanoseconds task_timeout{};

  // Where history stands.
  HistoryBuffer buffer;
  std::string next_page_token;
  std::int64_t last_processed = 0;
  std::int64_t started_event_id = 0;  // Of the workflow task applied last.
  std::int64_t previous_started = 0;  // Up to this task, we replay.
  std::uint32_t uncounted = 0;        // Events applied that a query's history_length leaves out.
  bool replaying = false;
  bool ended = false;
  bool terminal_commanded = false;
  base::WallTime time{};
  Flags flags;

  // For reports, while replaying. The commands' events that were applied last, in order; and what
  // the language has commanded, as far as history may still have to confirm it.
  std::vector<AppliedEvent> before;
  std::vector<std::vector<Command>> issued;

  // For the next activation.
  std::vector<Job> jobs;
  std::vector<std::shared_ptr<const void>> keep_alive;

  // What the code has under way.
  MachineTable table;
  Outgoing outgoing;
  UpdateMessages messages;
  absl::flat_hash_map<std::string, UpdateMachine> updates;  // By protocol instance id.
  absl::flat_hash_set<std::string> known_updates;  // Looked ahead in history, not yet accepted.
  Dialect dialect;
  ChangeVersions change_versions;
  Patches patches{change_versions};
  Records records{change_versions};
  Properties properties;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_DATA_H_
