// ScriptedServer, a transport whose answers the test gives, for code that runs on threads of its
// own: the test waits for the call it expects. Any thread, if the timers are the system's; answers
// run on them.
#ifndef CHIMERA_TESTS_SUPPORT_SCRIPTED_SERVER_H_
#define CHIMERA_TESTS_SUPPORT_SCRIPTED_SERVER_H_

#include <algorithm>
#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/synchronization/mutex.h"

#include "core/base/timers.h"
#include "core/base/transport.h"

namespace chimera::testing {

class ScriptedServer : public base::Transport {
 public:
  class Call : public base::RpcInFlight {
   public:
    std::string name, request;  // "PollWorkflowTaskQueue"; serialized.

    void cancel() override { finish(absl::CancelledError("cancelled")); }
    void answer(const google::protobuf::MessageLite& reply) {
      finish(absl::OkStatus(), reply.SerializeAsString());
    }
    // Once; later ones have no effect.
    void finish(absl::Status status, std::string reply = "") {
      if (ended_.exchange(true)) return;
      timers_->after({}, [rpc = std::move(rpc_), status = std::move(status),
                          reply = std::move(reply)]() mutable {
        if (status.ok()) {
          if (auto* message = std::get_if<google::protobuf::MessageLite*>(&rpc.response)) {
            (*message)->ParseFromString(reply);
          } else {
            *std::get<std::string*>(rpc.response) = std::move(reply);
          }
        }
        std::move(rpc.done)(std::move(status));
      });
    }
    template <class Request>
    Request as() const {
      Request result;
      result.ParseFromString(request);
      return result;
    }

   private:
    friend class ScriptedServer;
    base::RpcCall rpc_;
    base::Timers* timers_ = nullptr;
    std::atomic<bool> ended_{false};
  };
  using CallPtr = std::shared_ptr<Call>;

  explicit ScriptedServer(base::Timers& timers = base::system_timers()) : timers_(timers) {}

  // Calls of this name are answered by `answer` at once instead of waiting for the test.
  void always(const std::string& name, std::function<void(Call&)> answer) {
    absl::MutexLock lock(&mutex_);
    always_[name] = std::move(answer);
  }

  // The oldest call of this name that `next` has not given yet, and that `wanted` accepts; null
  // when none comes within 20 s.
  CallPtr next(const std::string& name, std::function<bool(const Call&)> wanted = {}) {
    absl::MutexLock lock(&mutex_);
    absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (true) {
      for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
        if ((*it)->name != name || (wanted && !wanted(**it))) continue;
        CallPtr call = *it;
        waiting_.erase(it);
        return call;
      }
      if (arrived_.WaitWithDeadline(&mutex_, deadline)) return nullptr;
    }
  }

  // Calls of this name that wait for the test.
  int waiting(const std::string& name) {
    absl::MutexLock lock(&mutex_);
    return static_cast<int>(std::count_if(waiting_.begin(), waiting_.end(),
                                          [&](const auto& call) { return call->name == name; }));
  }

  std::shared_ptr<base::RpcInFlight> start(base::RpcCall rpc) override {
    auto call = std::make_shared<Call>();
    call->name = std::string(rpc.method.substr(rpc.method.rfind('/') + 1));
    auto* message = std::get_if<const google::protobuf::MessageLite*>(&rpc.request);
    call->request =
        message ? (*message)->SerializeAsString() : std::move(std::get<std::string>(rpc.request));
    call->rpc_ = std::move(rpc);
    call->timers_ = &timers_;
    std::function<void(Call&)> answer;
    {
      absl::MutexLock lock(&mutex_);
      auto found = always_.find(call->name);
      if (found == always_.end()) {
        waiting_.push_back(call);
        arrived_.SignalAll();
        return call;
      }
      answer = found->second;
    }
    answer(*call);
    return call;
  }

 private:
  base::Timers& timers_;
  absl::Mutex mutex_;
  absl::CondVar arrived_;
  std::list<CallPtr> waiting_;
  std::map<std::string, std::function<void(Call&)>> always_;
};

}  // namespace chimera::testing

#endif  // CHIMERA_TESTS_SUPPORT_SCRIPTED_SERVER_H_
