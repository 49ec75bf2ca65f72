// Wire, gRPC's completion queue as a thread sees that handles all its events: calls of any method,
// which say what shall happen to them in a Conversation. So the loop's own thread reads, answers
// and waits for the network, and no other has to be woken.
#ifndef CHIMERA_SERVER_SERVICE_WIRE_H_
#define CHIMERA_SERVER_SERVICE_WIRE_H_

#include <atomic>
#include <functional>
#include <memory>

#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include "server/loop/loop.h"

namespace chimera::server {

class Wire;
class WireCall;

// What becomes of one call. Events come on the wire's thread, one at a time, and none after the
// call has ended, which destroys this.
class Conversation {
 public:
  virtual ~Conversation() = default;
  virtual void begin(WireCall& call) = 0;
  virtual void has_read(bool ok) = 0;  // False: nothing more comes from the caller.
  virtual void has_written(bool /*ok*/) {}
  virtual void is_cancelled() {}  // The caller is gone, or its time is over. finish() all the same.
};
using Answerer = std::function<std::unique_ptr<Conversation>(const std::string& path)>;

// A call on the wire. One read and one write may be under way; finish() once, after which nothing
// else may be begun. Any thread.
class WireCall {
 public:
  void read();
  void write(const grpc::ByteBuffer& bytes);
  void finish(const grpc::Status& status);
  void write_and_finish(const grpc::ByteBuffer& bytes);
  grpc::ByteBuffer& bytes() { return bytes_; }  // Of the last read.
  const grpc::GenericServerContext& context() const { return context_; }

 private:
  friend class Wire;
  struct Event {
    WireCall* call;
    void (WireCall::*then)(bool ok);
  };

  explicit WireCall(Wire& wire);
  void arrived(bool ok);
  void done(bool ok);
  void has_read(bool ok);
  void has_written(bool ok);
  void finished(bool ok);
  void end_one();

  Wire& wire_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  grpc::ByteBuffer bytes_;
  std::unique_ptr<Conversation> conversation_;
  std::atomic<int> open_{2};  // What is to come before this can go: the answer's end, the call's.
  Event arrived_, done_, read_, written_, finished_;
};

class Wire : public LoopSleeper {
 public:
  // Before the server is built.
  Wire(grpc::ServerBuilder& builder, Answerer answerer);
  ~Wire() override;

  void accept();  // The server is built: calls are taken.
  // LoopSleeper. wait() is the wire's thread.
  void wait(std::chrono::nanoseconds at_most) override;
  void wake() override;
  // The server has shut down and nobody waits here any more: ends what is left.
  void drain();

 private:
  friend class WireCall;
  void handle(void* tag, bool ok);

  const Answerer answerer_;
  grpc::AsyncGenericService service_;
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  grpc::Alarm alarm_;
  std::atomic<bool> woken_{false};
  bool drained_ = false;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_WIRE_H_
