// NexusSink, where the answers to Nexus tasks go. Any thread.
#ifndef CHIMERA_CORE_NEXUS_NEXUS_SINK_H_
#define CHIMERA_CORE_NEXUS_NEXUS_SINK_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

#include "core/language/nexus_language.h"

namespace chimera::core {

class NexusSink {
 public:
  using Task = std::shared_ptr<const api::workflowservice::v1::PollNexusTaskQueueResponse>;
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  virtual ~NexusSink() = default;
  // `done` runs exactly once.
  virtual void completed(const Task& task, NexusResult::Completed result, Done done) = 0;
  virtual void failed(const Task& task, NexusResult::Failed result, Done done) = 0;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_NEXUS_NEXUS_SINK_H_
