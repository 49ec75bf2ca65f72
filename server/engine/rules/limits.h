// The limits of the genuine server's default configuration on sizes and lengths, and what breaking
// one does. Pure. Those that can be changed are in dynamic_config.h.
#ifndef CHIMERA_SERVER_ENGINE_RULES_LIMITS_H_
#define CHIMERA_SERVER_ENGINE_RULES_LIMITS_H_

#include <initializer_list>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "server/base/types.h"
#include "server/engine/rules/verdict.h"

namespace chimera::server {

inline constexpr std::size_t kIdMax = 1000;
inline constexpr std::size_t kBlobBytesMax = 2 << 20;
inline constexpr std::size_t kFairnessKeyMax = 64;
inline constexpr std::size_t kBuildIdMax = 255;

// "ActivityId on ScheduleActivityTaskCommand exceeds length limit. ActivityId=a ... Limit=1000".
struct Length {
  const char* field;
  const std::string& value;
  std::string before, after, behind;  // What else the text names.
};
Verdict too_long(Cause cause, const char* command, std::initializer_list<Length> lengths);
// Too large a payload ends the workflow.
Verdict too_big(Cause cause, std::size_t bytes, const char* what);
inline Verdict either(Verdict first, Verdict second) { return first ? std::move(first) : second; }

// What is longer becomes a hundred years, as in the genuine server. Null: nothing to do.
void cap_duration(google::protobuf::Duration* duration);
void cap_durations(common::RetryPolicy* policy);
// What a run's timeout becomes; zero is none.
Nanos capped_run_timeout(Nanos asked, Nanos execution_timeout);
// Zero asks for the default.
Nanos capped_task_timeout(Nanos asked, Nanos run_timeout);

// `what` as in "SignalName length exceeds limit."
absl::Status check_length(absl::string_view what, absl::string_view value);
absl::Status check_blob(const google::protobuf::Message& payloads);
// Empty if it is right; else what is wrong, in the genuine server's words. So are the next ones.
std::string priority_problem(const common::Priority& priority);
std::string duration_problem(const google::protobuf::Duration& duration);
std::string queue_name_problem(const taskqueue::TaskQueue& queue, bool is_set);
std::string links_problem(const google::protobuf::RepeatedPtrField<common::Link>& links);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_LIMITS_H_
