// What is sent for Nexus operations, of runs and standing alone, and what the answers make of them.
// Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_NEXUS_INVOCATION_H_
#define CHIMERA_SERVER_ENGINE_NEXUS_INVOCATION_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

#include "server/base/types.h"
#include "server/engine/nexus/caller.h"
#include "server/engine/rules/nexus_links.h"

namespace chimera::server {

class Engine;
class Run;

// Where completions go that stay in this server.
inline constexpr char kSystemCallback[] = "temporal://system";
inline constexpr char kCallbackToken[] = "temporal-callback-token";  // Its header.

namespace nexus_invocation {

// Asks the endpoint of an operation that is to be started, or cancelled. An operation that has gone
// on meanwhile is left alone.
void request_start(Engine& engine, const NexusCallerPtr& caller);
void request_cancel(Engine& engine, const NexusCallerPtr& caller);
// Likewise; actions of post().
void start(Engine& engine, const Run& run, std::int64_t scheduled_id);
void cancel(Engine& engine, const Run& run, std::int64_t scheduled_id);

// Of the run's operations those that wait for the breaker of their endpoint.
void show_blocked(const Engine& engine, const Run& run,
                  wf::DescribeWorkflowExecutionResponse& response);

// How an operation ended that a handler has begun.
struct Completion {
  bool canceled = false, failed = false;  // Neither: with the result.
  common::Payload result;
  bool has_result = false;
  failure::Failure failure;
  // For one whose handler has not answered yet: its token, when it began and what it was.
  std::string operation_token;
  WallTime started{};  // By the server's clock; kUnset: not known.
  Links links;
};
// To the operation of the token, in the run that has it now, or alone. Not found: it is not waited
// for any more; kInvalidArgument: that is no token of this server, or it has ended alone.
absl::Status complete(Engine& engine, const std::string& token, Completion completion);

}  // namespace nexus_invocation
}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_NEXUS_INVOCATION_H_
