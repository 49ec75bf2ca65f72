#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "core/base/server_gone.h"

namespace chimera::sim {

namespace wf = api::workflowservice::v1;
using google::protobuf::MessageLite;

// One call under way. Its reply's place is not touched after its end.
class Network::Call : public base::RpcInFlight, public std::enable_shared_from_this<Call> {
 public:
  Call(std::shared_ptr<Network> network, base::RpcCall rpc)
      : network_(std::move(network)),
        name(rpc.method.substr(rpc.method.rfind('/') + 1)),
        rpc_(std::move(rpc)) {
    const auto* message = std::get_if<const MessageLite*>(&rpc_.request);
    request = message ? (*message)->SerializeAsString() : std::get<std::string>(rpc_.request);
  }

  void cancel() override {
    if (ended || network_->dropped_ || std::exchange(cancelled_, true)) return;
    for (const auto& each : at_server) each->cancel();
    network_->process_.world().later(
        network_->way() / 4, absl::StrCat("cancelled ", name),
        [self = shared_from_this()] { self->end(absl::CancelledError("cancelled")); });
  }

  // Once.
  void end(absl::Status status, const std::string& reply = "") {
    if (ended || lost || !network_->process_.runs()) return;
    ended = true;
    if (status.ok()) {
      if (auto* message = std::get_if<MessageLite*>(&rpc_.response)) {
        (*message)->ParseFromString(reply);
      } else {
        *std::get<std::string*>(rpc_.response) = reply;
      }
    }
    std::erase(network_->calls_, shared_from_this());
    auto done = std::move(rpc_.done);
    std::move(done)(std::move(status));
  }

  // Whoever began it is let go of, who may hold this.
  void forget() {
    ended = true;
    at_server.clear();
    const auto done = std::move(rpc_.done);
  }

  std::string_view method() const { return rpc_.method; }
  std::chrono::nanoseconds timeout() const { return rpc_.timeout; }
  const base::RpcMetadata& metadata() const { return rpc_.metadata; }

 private:
  const std::shared_ptr<Network> network_;

 public:
  const std::string name;
  std::string request;
  Fate fate = Fate::kNormal;
  bool ended = false;
  bool lost = false;  // By a faulty worker.
  std::vector<std::shared_ptr<base::RpcInFlight>> at_server;

 private:
  base::RpcCall rpc_;
  bool cancelled_ = false;
};

Network::Network(Process& process, std::shared_ptr<base::Transport> server, NetworkLuck luck,
                 Ledger* ledger, PartFault fault)
    : process_(process), server_(std::move(server)), luck_(luck), ledger_(ledger), fault_(fault) {}

Network::Fate Network::draw_fate() {
  Rng& rng = process_.world().rng();
  if (luck_.mishaps <= 0 || !rng.percent(luck_.mishap_percent)) return Fate::kNormal;
  --luck_.mishaps;
  return static_cast<Fate>(rng.between(1, 3));
}

std::chrono::nanoseconds Network::way() {
  return std::chrono::microseconds(
      process_.world().rng().below(static_cast<std::uint64_t>(luck_.longest_way.count())));
}

std::shared_ptr<base::RpcInFlight> Network::start(base::RpcCall rpc) {
  auto call = std::make_shared<Call>(shared_from_this(), std::move(rpc));
  calls_.push_back(call);
  World& world = process_.world();
  if (severed_) {
    world.later(std::chrono::milliseconds(1), absl::StrCat("no way for ", call->name),
                [call] { call->end(absl::UnavailableError("no server")); });
    return call;
  }
  call->fate = draw_fate();
  const std::string what = absl::StrCat(process_.name(), " asks ", call->name);
  if (call->fate == Fate::kRequestLost) {
    world.later(way(), absl::StrCat(what, ", which is lost"), [self = shared_from_this(), call] {
      self->arrive(call, absl::UnavailableError("lost on the way there"), "");
    });
    return call;
  }
  world.later(way(), what, [self = shared_from_this(), call] { self->send(call); });
  if (call->fate == Fate::kTwice) {
    world.later(way(), absl::StrCat(what, " again"),
                [self = shared_from_this(), call] { self->send(call); });
  }
  return call;
}

void Network::send(const CallPtr& call) {
  if (call->ended) return;
  auto reply = std::make_shared<std::string>();
  call->at_server.push_back(server_->start(
      {.method = call->method(),
       .request = call->request,
       .response = reply.get(),
       .timeout = call->timeout(),
       .metadata = call->metadata(),
       .done = [self = shared_from_this(), call, reply](absl::Status status) {
         if (self->dropped_) return;
         if (call->fate == Fate::kReplyLost) {
           status = absl::UnavailableError("lost on the way back");
           reply->clear();
         }
         // Here another takes the place of one that has ended.
         status.ErasePayload(base::kServerGone);
         self->process_.world().later(
             self->way(),
             absl::StrCat(self->process_.name(), " hears of ", call->name, ": ",
                          static_cast<int>(status.code())),
             [self, call, reply, status] { self->arrive(call, status, std::move(*reply)); });
       }}));
}

void Network::arrive(const CallPtr& call, absl::Status status, std::string reply) {
  if (call->ended || !process_.runs() || severed_) return;
  if (ledger_ != nullptr) {
    if (status.ok()) ledger_->arrived(call->name, call->request, reply);
    ledger_->ended(call->name, call->request, status);
  }
  if (swallowed(call, status, reply)) return;
  call->end(std::move(status), reply);
}

// What a worker with a fault makes of it. True: nothing at all.
bool Network::swallowed(const CallPtr& call, absl::Status& status, std::string& reply) {
  const bool poll = absl::StartsWith(call->name, "Poll");
  if (fault_ == PartFault::kPollLost && poll && absl::IsUnavailable(status))
    return call->lost = true;
  if (fault_ == PartFault::kLateTaskDropped && poll && shutting_down()) reply.clear();
  if (fault_ == PartFault::kLostAnswerTaken && absl::StartsWith(call->name, "Respond") &&
      absl::IsUnavailable(status))
    status = absl::OkStatus();
  if (call->name == "RespondWorkflowTaskCompleted" && status.ok()) {
    wf::RespondWorkflowTaskCompletedResponse answer;
    answer.ParseFromString(reply);
    if (fault_ == PartFault::kEagerActivityLost) answer.clear_activity_tasks();
    if (fault_ == PartFault::kInlineTaskLost) answer.clear_workflow_task();
    reply = answer.SerializeAsString();
  }
  return false;
}

void Network::drop() {
  dropped_ = true;
  for (const CallPtr& call : std::exchange(calls_, {})) call->forget();
}

void Network::sever() {
  severed_ = true;
  for (const CallPtr& call : std::vector<CallPtr>(calls_)) {
    call->lost = false;
    process_.world().later({}, absl::StrCat("severed ", call->name),
                           [call] { call->end(absl::UnavailableError("no server")); });
  }
}

}  // namespace chimera::sim
