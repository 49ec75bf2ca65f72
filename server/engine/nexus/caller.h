// NexusCaller, who has an operation that is sent to a handler: a run, or the operation itself if it
// stands alone; and NexusChange, one change that an answer makes of it. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_NEXUS_CALLER_H_
#define CHIMERA_SERVER_ENGINE_NEXUS_CALLER_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"

#include "server/engine/pending/nexus_operation.h"
#include "server/engine/run/namespaces.h"

namespace chimera::server {

class NexusChange {
 public:
  virtual ~NexusChange() = default;
  virtual WallTime now() = 0;
  virtual NexusOperation& operation() = 0;
  // --- How it goes on. The operation is gone, or another one, when these return.
  // `at`: when it was started; kUnset: now.
  virtual void started(const std::string& token, Links links, WallTime at) = 0;
  virtual void completed(common::Payload* result, Links links) = 0;
  virtual void ended_badly(bool canceled, failure::Failure cause) = 0;
  virtual void timed_out(enums::TimeoutType type) = 0;
  virtual void cancel_requested(const failure::Failure* failure) = 0;  // Null: its handler knows.
};

class NexusCaller {
 public:
  virtual ~NexusCaller() = default;
  virtual const NexusOperation* operation() const = 0;  // Null: it is gone, and so is what follows.
  virtual const Namespace& ns() const = 0;
  virtual WallTime clock(WallTime server_time) const = 0;  // The caller's own.
  virtual WallTime server_time(WallTime own) const = 0;
  virtual nexus::Link link() const = 0;              // To the caller, for its handler.
  virtual std::string completion_token() const = 0;  // By which it is found again.
  virtual void change(absl::FunctionRef<void(NexusChange&)> change) = 0;  // Commits it.
};

using NexusCallerPtr = std::shared_ptr<NexusCaller>;

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_NEXUS_CALLER_H_
