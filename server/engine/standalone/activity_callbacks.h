// The callbacks of activities that stand alone: who is told how one ends. They come with its start,
// or with a later start that is answered with it. With activity.enableCallbacks. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_CALLBACKS_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_CALLBACKS_H_

#include <string>

#include "absl/status/status.h"

#include "server/engine/standalone/activity_execution.h"

namespace chimera::server {

class Engine;

// Whether they can be added, in the genuine server's words.
absl::Status may_attach_callbacks(const Engine& engine, const ActivityExecution& execution,
                                  int count);
bool has_callbacks_of(const ActivityExecution& execution, const std::string& request_id);
void attach_callbacks(ActivityExecution& execution,
                      const google::protobuf::RepeatedPtrField<common::Callback>& callbacks,
                      const std::string& request_id, WallTime at);
// It has closed: what it brought about is told in the same turn, and becomes durable with it.
void deliver_callbacks(Engine& engine, const ActivityExecution& execution);
void describe_callbacks(const ActivityExecution& execution,
                        wf::DescribeActivityExecutionResponse& response);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_CALLBACKS_H_
