#include "tests/sim/host.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "core/rpc/connect.h"
#include "core/worker/rpc_call.h"

namespace chimera::sim {

namespace wf = api::workflowservice::v1;

Host::Host(World& world, std::string name, std::shared_ptr<base::Transport> server, Setup setup,
           SimWorkflows& workflows, ActivityBook& book)
    : process_(world, std::move(name)),
      setup_(std::move(setup)),
      workflows_(workflows),
      activities_(process_, book,
                  {.remote = setup_.options.max_concurrent_activities,
                   .local = setup_.options.max_concurrent_local_activities}),
      rng_(world.rng().next(), "host"),
      network_(std::make_shared<Network>(process_, std::move(server), setup_.luck, &ledger_,
                                         setup_.fault)),
      language_(workflows_, process_, rng_.percent(50) ? 40 : 0) {
  network_->shutting_down = [this] { return shutting_down_; };
  if (setup_.fault == PartFault::kWorkLostAtShutdown)
    process_.loses_post = [this] { return shutting_down_ && !std::exchange(struck_, true); };
  if (setup_.fault == PartFault::kTimerLost)
    process_.loses_timer = [this] { return up_ && rng_.percent(10); };
}

Host::~Host() {
  worker_.reset();
  network_->drop();
}

void Host::start() {
  core::ConnectionOptions options;
  options.target_host = "simulated";
  options.identity = process_.name();
  options.transport = network_;
  options.metrics = metrics_;
  core::connect_async(std::move(options),
                      {process_, [this] { return static_cast<double>(rng_.below(1000)) / 1000; }},
                      [this](auto connection) { connected(std::move(connection)); });
}

void Host::connected(absl::StatusOr<std::shared_ptr<core::Connection>> connection) {
  if (dying_) {
    unconnected_ = true;
    return;
  }
  if (!connection.ok()) return start();
  connection_ = *std::move(connection);
  core::WorkerEnvironment environment;
  environment.clock = &process_.world();
  environment.timers = &process_;
  environment.executor = &process_;
  environment.random = [this] { return static_cast<std::uint32_t>(rng_.next()); };
  worker_ = *core::Worker::create(connection_, setup_.options, std::move(environment));
  for (const char* type : {"Random", "Child", "Idle"}) (void)worker_->add_workflow(type, language_);
  for (const char* type : {"work", "quick"}) (void)worker_->add_activity(type, activities_);
  worker_->start_async([this](absl::Status status) {
    up_ = status.ok();
    start_failed_ = !up_;
    if (!up_) end_status_ = std::move(status);
  });
}

void Host::shut_down() {
  shutting_down_ = true;
  worker_->when_ended([this](absl::Status status) {
    ended_ = true;
    end_status_ = std::move(status);
  });
  worker_->initiate_shutdown();
}

std::vector<std::string> Host::leftovers() const {
  std::vector<std::string> found = ledger_.owed();
  for (const auto line : absl::StrSplit(metrics_->prometheus_text(), '\n')) {
    if (absl::StartsWith(line, "temporal_worker_task_slots_used{") && !absl::EndsWith(line, " 0"))
      found.push_back(absl::StrCat("slots: ", line));
    if (absl::StartsWith(line, "temporal_num_pollers{") && !absl::EndsWith(line, " 0"))
      found.push_back(absl::StrCat("polls: ", line));
    if (absl::StartsWith(line, "temporal_sticky_cache_size{") && !absl::EndsWith(line, " 0"))
      found.push_back(absl::StrCat("cached runs: ", line));
  }
  if (!activities_.idle()) found.push_back("an activity runs after the worker's end");
  return found;
}

template <class Done>
bool Host::run_until(const Done& done) {
  for (int steps = 0; !done() && steps < 30'000; ++steps) {
    if (!process_.world().step()) break;
  }
  return done();
}

bool Host::finish() {
  if (absl::IsDeadlineExceeded(end_status_)) return false;
  worker_.reset();
  return true;
}

bool Host::bury() {
  if (ended_) return finish();
  dying_ = true;
  kept_slot_.reset();
  process_.revive();
  process_.loses_post = process_.loses_timer = nullptr;
  network_->sever();
  if (worker_ == nullptr) return run_until([this] { return unconnected_; });
  if (!run_until([this] { return up_ || start_failed_; })) return false;
  if (!shutting_down_) shut_down();
  if (!run_until([this] { return ended_; })) return false;
  return finish();
}

void Host::start_eagerly(const wf::StartWorkflowExecutionRequest& request) {
  auto eager = std::make_unique<wf::StartWorkflowExecutionRequest>(request);
  std::shared_ptr<core::WorkflowSlot> slot =
      connection_->eager_starts()->try_reserve("default", "queue");
  core::ask_for_first_task(*eager, slot.get());
  core::send<wf::StartWorkflowExecutionResponse>(
      *connection_, CHIMERA_WORKFLOW_SERVICE(StartWorkflowExecution), std::move(eager),
      {.namespace_ = "default"}, [this, slot](auto reply) mutable {
        if (setup_.fault == PartFault::kSlotKept) kept_slot_ = slot;
        if (!slot || !reply.ok() || !(*reply)->has_eager_workflow_task()) return;
        had_eager_start_ = true;
        slot->run(std::shared_ptr<wf::PollWorkflowTaskQueueResponse>(
            *reply, (*reply)->mutable_eager_workflow_task()));
      });
}

}  // namespace chimera::sim
