// Dispatcher, the way of a call from any transport into the loop and back out of it when the server
// stops. Any thread.
#ifndef CHIMERA_SERVER_SERVICE_DISPATCHER_H_
#define CHIMERA_SERVER_SERVICE_DISPATCHER_H_

#include <mutex>

#include "server/base/call.h"
#include "server/engine/engine.h"
#include "server/loop/loop.h"
#include "server/service/method_table.h"

namespace chimera::server {

class Dispatcher {
 public:
  Dispatcher(Loop& loop, Engine& engine)
      : loop_(loop), engine_(engine), keeps_all_(engine.store().durable()) {}
  // The call is answered exactly once, through its `deliver`, on another thread.
  void submit(CallPtr call);
  void cancel(const CallPtr& call);
  // What calls change is kept in a file.
  bool keeps_all() const { return keeps_all_; }
  // The loop and the engine are about to die; later calls end with kUnavailable.
  void close();
  // Loop thread: answers every open call with kUnavailable.
  void abandon_all();

 private:
  void handle(const CallPtr& call);

  Loop& loop_;
  Engine& engine_;
  const bool keeps_all_;
  bool stopped_ = false;  // Loop thread.
  std::mutex mutex_;      // A transport may outlive the server.
  bool closed_ = false;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_DISPATCHER_H_
