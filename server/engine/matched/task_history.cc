#include "server/engine/matched/task_history.h"

#include <algorithm>

#include "server/base/tokens.h"
#include "server/engine/turn/workflow_task.h"

namespace chimera::server {
namespace {
constexpr std::ptrdiff_t kPageBatches = 256;
}  // namespace

void fill_history(const Run& run, std::int64_t first, bool with_unwritten,
                  wf::PollWorkflowTaskQueueResponse& response) {
  const std::int64_t last = run.events.events_size();
  std::int64_t until = last;
  auto batch = std::lower_bound(run.batches.begin(), run.batches.end(), first);
  if (run.batches.end() - batch > kPageBatches) until = batch[kPageBatches] - 1;
  auto& events = *response.mutable_history()->mutable_events();
  events.Reserve(static_cast<int>(std::max<std::int64_t>(until - first + 3, 1)));
  for (std::int64_t id = first; id <= until; ++id)
    *events.Add() = run.events.events(static_cast<int>(id - 1));
  if (until < last) {
    const PageToken rest{run.run_id, until + 1, last + 1, false, with_unwritten};
    response.set_next_page_token(rest.encode());
  } else if (with_unwritten) {
    append_unwritten_events(run, *response.mutable_history());
  }
}

}  // namespace chimera::server
