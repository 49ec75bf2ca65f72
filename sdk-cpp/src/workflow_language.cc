#include "sdk-cpp/src/workflow_language.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/place.h"
#include "sdk-cpp/src/version.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::sdk {

CppWorkflowLanguage::CppWorkflowLanguage(Codec codec)
    : codec_(std::move(codec)),
      identity_{.sdk_name = kSdkName,
                .sdk_version = kSdkVersion,
                .failure_source = kFailureSource,
                .has_side_effects = true,
                .codec = codec_.of_all(),
                .place = &describe_place} {}

absl::StatusOr<std::unique_ptr<core::WorkflowInstance>> CppWorkflowLanguage::create(
    const core::RunContext& run) {
  auto type = types_.find(run.workflow_type);
  if (type == types_.end()) type = types_.find("");  // The dynamic one.
  if (type == types_.end()) {
    return absl::NotFoundError(absl::StrCat("no C++ workflow is called '", run.workflow_type, "'"));
  }
  try {
    return std::make_unique<WorkflowRuntime>(type->second, run, codec_, *metrics_,
                                             run.may_have_crashed ? *large_stacks_ : *stacks_,
                                             interceptors_);
  } catch (...) {  // Out of an interceptor or a codec of the user's.
    return absl::InternalError(absl::StrCat("cannot begin with interceptors and codec workflow ",
                                            run.workflow_type, " (id ", run.workflow_id, ", run ",
                                            run.run_id, "): ", describe_current()));
  }
}

void CppWorkflowLanguage::set_stack_bytes(std::size_t bytes) {
  stacks_ = &StackPool::of(bytes);
  large_stacks_ = &StackPool::of(std::max(bytes, kLargeStackBytes));
}

}  // namespace chimera::sdk
