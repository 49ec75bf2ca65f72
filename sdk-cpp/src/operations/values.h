// The codecs for the values of what a run has to do with: activities, Nexus operations, and other
// workflows.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_VALUES_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_VALUES_H_

#include <string>
#include <string_view>
#include <utility>

#include "sdk-cpp/src/run.h"

namespace chimera::sdk {

// The run outlives it.
class ActivityValues {
 public:
  // An empty task queue is the run's.
  ActivityValues(const Run& run, std::string_view type, std::string id, std::string task_queue,
                 bool is_local)
      : type_(type),
        id_(std::move(id)),
        task_queue_(task_queue.empty() ? run.context.task_queue : std::move(task_queue)),
        codec_(run.codec,
               {.namespace_ = run.context.namespace_,
                .workflow_id = run.context.workflow_id,
                .workflow_type = run.context.workflow_type,
                .activity = core::PayloadContext::Activity{
                    .id = id_, .type = type_, .task_queue = task_queue_, .is_local = is_local}}) {}
  const Codec& codec() const { return codec_; }

 private:
  const std::string type_, id_, task_queue_;
  const CodecIn codec_;
};

// Of a Nexus operation, whose handler knows neither the namespace nor the workflow.
class NexusValues {
 public:
  NexusValues(const Codec& codec, std::string_view endpoint, std::string_view service,
              std::string_view operation)
      : endpoint_(endpoint),
        service_(service),
        operation_(operation),
        codec_(codec, {.nexus = core::PayloadContext::Nexus{endpoint_, service_, operation_}}) {}
  const Codec& codec() const { return codec_; }
  const std::string& service() const { return service_; }
  const std::string& operation() const { return operation_; }

 private:
  const std::string endpoint_, service_, operation_;
  const CodecIn codec_;
};

class OtherWorkflowValues {
 public:
  OtherWorkflowValues(const Run& run, std::string workflow_id)
      : workflow_id_(std::move(workflow_id)),
        codec_(run.codec, {.namespace_ = run.context.namespace_, .workflow_id = workflow_id_}) {}
  const Codec& codec() const { return codec_; }

 private:
  const std::string workflow_id_;
  const CodecIn codec_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_VALUES_H_
