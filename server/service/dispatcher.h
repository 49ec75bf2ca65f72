// Dispatcher, the way of a call from any transport into the loop and back out of it when the server
// stops. Any thread.
#ifndef CHIMERA_SERVER_SERVICE_DISPATCHER_H_
#define CHIMERA_SERVER_SERVICE_DISPATCHER_H_

#include <mutex>

#include "absl/container/flat_hash_set.h"

#include "server/engine/engine.h"
#include "server/engine/loop.h"
#include "server/service/call.h"
#include "server/service/method_table.h"

namespace chimera::server {

class Dispatcher {
 public:
  Dispatcher(Loop& loop, Engine& engine) : loop_(loop), engine_(engine) {}
  // The call is answered exactly once, through its `deliver`, on another thread.
  void submit(CallPtr call);
  void cancel(const CallPtr& call);
  // The loop and the engine are about to die; later calls end with kUnavailable.
  void close();
  // Loop thread: answers every open call with kUnavailable.
  void abandon_all();

 private:
  void handle(const CallPtr& call);

  Loop& loop_;
  Engine& engine_;
  absl::flat_hash_set<CallPtr> waiting_;  // Loop thread. Long-lived calls only.
  std::size_t sweep_at_ = 1024;
  bool stopped_ = false;
  std::mutex mutex_;  // A transport may outlive the server.
  bool closed_ = false;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_DISPATCHER_H_
