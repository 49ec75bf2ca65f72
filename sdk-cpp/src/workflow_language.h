// CppWorkflowLanguage, the C++ workflows of one worker as the core sees them. Immutable once the
// worker runs; any lane.
#ifndef CHIMERA_SDK_CPP_SRC_WORKFLOW_LANGUAGE_H_
#define CHIMERA_SDK_CPP_SRC_WORKFLOW_LANGUAGE_H_

#include <map>
#include <memory>
#include <string>

#include "core/language/language.h"
#include "core/telemetry/metrics.h"
#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/stack_pool.h"

namespace chimera::sdk {

class CppWorkflowLanguage final : public core::WorkflowLanguage {
 public:
  explicit CppWorkflowLanguage(Codec codec);
  // Before the worker runs:
  void set_metrics(core::Metrics& metrics) { metrics_ = &metrics; }
  void set_stack_bytes(std::size_t bytes);
  void intercept(WorkerInterceptors interceptors) { interceptors_ = std::move(interceptors); }
  void add(const detail::WorkflowType& type) { types_.emplace(type.name, type); }

  const core::LanguageIdentity& identity() const override { return identity_; }
  std::string name() const override { return "C++"; }
  absl::StatusOr<std::unique_ptr<core::WorkflowInstance>> create(
      const core::RunContext& run) override;

 private:
  const Codec codec_;
  core::Metrics* metrics_ = &core::process_metrics();
  WorkerInterceptors interceptors_;
  StackPool* stacks_ = &StackPool::of(kStackBytes);
  StackPool* large_stacks_ = &StackPool::of(kLargeStackBytes);
  const core::LanguageIdentity identity_;
  std::map<std::string, detail::WorkflowType> types_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_WORKFLOW_LANGUAGE_H_
