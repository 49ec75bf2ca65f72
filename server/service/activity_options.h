// What an operator does to pending activities of a workflow: the handlers, for the two families of
// RPCs that ask for it. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_ACTIVITY_OPTIONS_H_
#define CHIMERA_SERVER_SERVICE_ACTIVITY_OPTIONS_H_

#include "absl/status/status.h"

#include "server/engine/engine.h"

namespace chimera::server {

absl::Status pause(Engine& engine, wf::PauseActivityRequest& request, wf::PauseActivityResponse&);
absl::Status unpause(Engine& engine, wf::UnpauseActivityRequest& request,
                     wf::UnpauseActivityResponse&);
absl::Status reset(Engine& engine, wf::ResetActivityRequest& request, wf::ResetActivityResponse&);
absl::Status update_options(Engine& engine, wf::UpdateActivityOptionsRequest& request,
                            wf::UpdateActivityOptionsResponse& response);

// "retryPolicy.maximumAttempts" and "retry_policy.maximum_attempts" are one path.
std::string plain_path(std::string path);
// Paths that are no options are passed over, as by server 1.29.
void merge_options(const google::protobuf::FieldMask& mask,
                   const ::temporal::api::activity::v1::ActivityOptions& from,
                   Activity::Attributes& to);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_ACTIVITY_OPTIONS_H_
