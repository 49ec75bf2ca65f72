// OperationChange, one change of a Nexus operation that stands alone, and the only way to change
// it: when it is committed the timer, those who wait, lists and the store follow. One at a time for
// each; loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_CHANGE_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_CHANGE_H_

#include <memory>
#include <string>

#include "server/engine/nexus/caller.h"
#include "server/engine/standalone/operation_execution.h"

namespace chimera::server {

class OperationChange final : public NexusChange {
 public:
  OperationChange(Engine& engine, const OperationExecution& execution)
      : engine_(engine), execution_(const_cast<OperationExecution&>(execution)) {}
  ~OperationChange() override;  // It was committed.
  OperationChange(const OperationChange&) = delete;
  OperationChange& operator=(const OperationChange&) = delete;
  void commit();         // Once, at the end.
  void commit_unseen();  // Likewise; what nobody is told of.

  // --- What is done to it.
  void send();    // What its handler is to be asked, now.
  bool do_due();  // Whether anything was due.
  void request_cancel(const std::string& reason, const std::string& identity,
                      const std::string& request_id);
  void terminate(const std::string& reason, const std::string& identity,
                 const std::string& request_id);

  // --- By its handler.
  WallTime now() override;
  NexusOperation& operation() override { return execution_.operation; }
  void started(const std::string& token, Links links, WallTime at) override;
  void completed(common::Payload* result, Links links) override;
  void ended_badly(bool canceled, failure::Failure cause) override;
  void timed_out(enums::TimeoutType type) override;
  void cancel_requested(const failure::Failure* failure) override;

 private:
  void post(void (*request)(Engine&, const NexusCallerPtr&));
  void attach(const Links& links);
  void begin_cancel();
  // `of_attempt`: it is what a request to start it has come to, and told as that, too.
  void fail(OperationExecution::Status status, failure::Failure failure, bool of_attempt);
  void close(OperationExecution::Status status);

  Engine& engine_;
  OperationExecution& execution_;
  bool committed_ = false;
};

NexusCallerPtr caller_of(Engine& engine, const OperationExecution& execution);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_CHANGE_H_
