#include "server/engine/nexus/run_caller.h"

#include <utility>

#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/engine/run/transition.h"

namespace chimera::server {
namespace {

class RunChange final : public NexusChange {
 public:
  RunChange(Transition& t, std::int64_t id) : t_(t), id_(id) {}
  WallTime now() override { return t_.now(); }
  NexusOperation& operation() override { return *t_.open<NexusOperations>().find(id_); }
  void started(const std::string& token, Links links, WallTime at) override {
    nexus_operation::started(t_, operation(), token, std::move(links), at);
  }
  void completed(common::Payload* result, Links links) override {
    nexus_operation::completed(t_, operation(), result, std::move(links));
  }
  void ended_badly(bool canceled, failure::Failure cause) override {
    nexus_operation::ended_badly(t_, operation(), canceled, std::move(cause));
  }
  void timed_out(enums::TimeoutType type) override {
    nexus_operation::timed_out(t_, operation(), type);
  }
  void cancel_requested(const failure::Failure* failure) override {
    nexus_operation::cancel_requested(t_, operation(), failure);
  }

 private:
  Transition& t_;
  const std::int64_t id_;
};

class RunCaller final : public NexusCaller {
 public:
  RunCaller(Engine& engine, const Run& run, std::int64_t id)
      : engine_(engine), run_(share(run)), id_(id) {}
  const NexusOperation* operation() const override {
    const RunPtr run = run_.lock();
    return run != nullptr && run->running() ? run->open<NexusOperations>().find(id_) : nullptr;
  }
  const Namespace& ns() const override { return *run_.lock()->ns; }
  WallTime clock(WallTime server_time) const override { return run_.lock()->clock(server_time); }
  WallTime server_time(WallTime own) const override { return run_.lock()->server_time(own); }
  nexus::Link link() const override {
    const RunPtr run = run_.lock();
    const HistoryEvent& event = *operation()->event;
    common::Link::WorkflowEvent link;
    link.set_namespace_(run->ns->name());
    link.set_workflow_id(run->workflow_id);
    link.set_run_id(run->run_id);
    link.mutable_event_ref()->set_event_id(event.event_id());
    link.mutable_event_ref()->set_event_type(event.event_type());
    return to_nexus(link);
  }
  std::string completion_token() const override {
    const RunPtr run = run_.lock();
    return NexusToken{run->ns->id, run->workflow_id, run->run_id, id_,
                      operation()->attributes().request_id()}
        .encode();
  }
  void change(absl::FunctionRef<void(NexusChange&)> change) override {
    const RunPtr run = run_.lock();
    Transition t(engine_, *run);
    RunChange of_run(t, id_);
    change(of_run);
    t.commit();
  }

 private:
  Engine& engine_;
  const RunWeak run_;
  const std::int64_t id_;
};

}  // namespace

NexusCallerPtr caller_of(Engine& engine, const Run& run, std::int64_t scheduled_id) {
  return std::make_shared<RunCaller>(engine, run, scheduled_id);
}

}  // namespace chimera::server
