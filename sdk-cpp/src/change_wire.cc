#include "sdk-cpp/src/change_wire.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/version_wire.h"

namespace chimera::sdk {

void write(const WorkflowExecutionOptionsUpdate& update, std::string_view doing,
           api::workflow::v1::WorkflowExecutionOptions& options,
           google::protobuf::FieldMask& mask) {
  const bool touches_override = update.versioning_override || update.clear_versioning_override;
  if (!touches_override && !update.priority)
    throw std::invalid_argument(absl::StrCat(std::string(doing), ": none is given"));
  if (update.versioning_override && update.clear_versioning_override) {
    throw std::invalid_argument(absl::StrCat(
        std::string(doing), ": versioning_override is given, and clear_versioning_override too"));
  }
  if (touches_override) mask.add_paths("versioning_override");
  if (update.versioning_override)
    *options.mutable_versioning_override() = to_proto(*update.versioning_override);
  if (update.priority) {
    mask.add_paths("priority");
    *options.mutable_priority() = to_proto(*update.priority);
  }
}

void write(const PostResetOperation& operation, std::string_view doing, const Codec& codec,
           api::workflow::v1::PostResetOperation& out) {
  if (const auto* update = std::get_if<WorkflowExecutionOptionsUpdate>(&operation)) {
    auto& wanted = *out.mutable_update_workflow_options();
    write(*update, absl::StrCat(std::string(doing), ": options of the new run"),
          *wanted.mutable_workflow_execution_options(), *wanted.mutable_update_mask());
    return;
  }
  const auto& signal = std::get<PostResetSignal>(operation);
  if (signal.name.empty())
    throw std::invalid_argument(absl::StrCat(std::string(doing), ": a signal has no name"));
  auto& sent = *out.mutable_signal_workflow();
  sent.set_signal_name(signal.name);
  if (signal.args.empty()) return;
  *sent.mutable_input() = to_proto(signal.args);
  encode_in_place(*sent.mutable_input(), codec);
}

}  // namespace chimera::sdk
