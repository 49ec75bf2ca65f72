#include "tests/sim/driver.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "core/rpc/connect.h"
#include "core/worker/rpc_call.h"

namespace chimera::sim {

namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Virtual. The longest program does not take so long by far.
constexpr std::chrono::hours kLongest{2};
constexpr int kStepsMax = 400'000;
constexpr seconds kLook{2};

// Workers that cannot be brought to their end, by a fault that was planted in them.
std::vector<std::unique_ptr<Host>>& graveyard() {
  static auto& hosts = *new std::vector<std::unique_ptr<Host>>;
  return hosts;
}

}  // namespace

Driver::Driver(std::uint64_t seed, const Program& program, PartFault fault)
    : seed_(seed),
      fault_(fault),
      rng_(seed, "driver"),
      world_(seed),
      server_process_(world_, "server"),
      client_(world_, "client"),
      workflows_(program) {}

Driver::~Driver() {
  bury();
  hosts_.clear();
  connection_.reset();
  if (network_ != nullptr) network_->drop();
  server_.reset();
  world_.drop_flights();
}

bool Driver::bury() {
  over_ = closed_ = true;
  bool all = true;
  for (auto& host : hosts_) {
    if (host == nullptr || host->bury()) continue;
    graveyard().push_back(std::move(host));
    all = false;
  }
  std::erase(hosts_, nullptr);
  return all;
}

template <class Reply, class Request>
void Driver::call(std::string_view method, Request request,
                  std::function<void(absl::StatusOr<std::shared_ptr<Reply>>)> done) {
  request.set_namespace_("default");
  core::send<Reply>(*connection_, method, std::make_unique<Request>(std::move(request)),
                    {.namespace_ = "default"}, std::move(done));
}

void Driver::set_up() {
  server::ServerOptions options;
  options.clock = &world_;
  options.executor = &server_process_;
  options.timers = &server_process_;
  options.seed = seed_;
  for (int i = 0; i < 3; ++i) options.search_attributes[absl::StrCat("Field", i)] = "Double";
  server_ = *server::Server::start(std::move(options));
  core::ConnectionOptions connection;
  connection.target_host = "simulated";
  connection.identity = "client";
  network_ = std::make_shared<Network>(client_, server_->local_transport(),
                                       NetworkLuck{.longest_way = milliseconds(5)}, nullptr,
                                       PartFault::kNone);
  connection.transport = network_;
  core::connect_async(std::move(connection), {client_, [] { return 0.5; }},
                      [this](auto made) { connection_ = *std::move(made); });
  while (connection_ == nullptr && world_.step()) {
  }
}

Host::Setup Driver::random_setup() {
  Host::Setup setup;
  setup.fault = fault_;
  core::WorkerOptions& options = setup.options;
  options.task_queue = "queue";
  options.max_cached_workflows = rng_.below(4);
  options.lanes = static_cast<int>(rng_.between(1, 3));
  options.max_concurrent_workflow_tasks = static_cast<int>(rng_.between(1, 4));
  options.max_concurrent_activities = static_cast<int>(rng_.between(1, 4));
  options.max_concurrent_local_activities = static_cast<int>(rng_.between(1, 3));
  options.max_concurrent_workflow_task_polls = static_cast<int>(rng_.between(1, 4));
  options.max_concurrent_activity_task_polls = static_cast<int>(rng_.between(1, 3));
  options.disable_eager_activity_execution = rng_.percent(20);
  options.sticky_queue_schedule_to_start_timeout = seconds(rng_.between(2, 10));
  options.graceful_shutdown_timeout = seconds(rng_.percent(50) ? 0 : 3);
  options.default_heartbeat_throttle_interval = seconds(rng_.between(1, 5));
  options.deadlock_timeout = rng_.percent(10) ? seconds(60) : seconds(0);
  options.max_activities_per_second = rng_.percent(10) ? 5 : 0;
  setup.luck.longest_way = milliseconds(rng_.percent(80) ? 20 : 400);
  setup.luck.mishaps = static_cast<int>(rng_.below(6));
  return setup;
}

void Driver::open_worker() {
  hosts_.push_back(std::make_unique<Host>(world_, absl::StrCat("worker ", hosts_.size() + 1),
                                          server_->local_transport(), random_setup(), workflows_,
                                          book_));
  host().start();
}

void Driver::replace_worker() {
  if (closed_ || replacing_) return;
  if (rng_.percent(50)) {
    ++kills_;
    host().kill();
    return open_worker();
  }
  if (!host().up()) return;  // It is not there to be asked yet.
  ++shutdowns_;
  replacing_ = true;
  host().shut_down();
}

void Driver::worker_ended() {
  if (!host().end_status().ok())
    violations_.push_back(
        absl::StrCat("a worker's end: ", std::string(host().end_status().message())));
  for (const std::string& left : host().leftovers())
    violations_.push_back(absl::StrCat("a worker that has ended leaves ", left));
  host().finish();
}

// By the worker's own process first, now and then; it may be killed meanwhile.
void Driver::start_workflow(int tries) {
  if (!run_id_.empty()) return;
  wf::StartWorkflowExecutionRequest request;
  request.set_workflow_id("workflow");
  request.set_request_id("the one start");
  request.mutable_workflow_type()->set_name("Random");
  request.mutable_task_queue()->set_name("queue");
  request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
  request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
  if (tries == 0 && host().up() && rng_.percent(70)) {
    wf::StartWorkflowExecutionRequest eager = request;
    eager.set_namespace_("default");
    host().start_eagerly(eager);
    client_.after(seconds(2), [this] { start_workflow(1); });
    return;
  }
  call<wf::StartWorkflowExecutionResponse>(CHIMERA_WORKFLOW_SERVICE(StartWorkflowExecution),
                                           std::move(request), [this](auto reply) {
                                             if (!reply.ok()) return find_first_run();
                                             run_id_ = (*reply)->run_id();
                                           });
}

// It was started by a worker's process, and has ended or gone on as new meanwhile.
void Driver::find_first_run() {
  wf::DescribeWorkflowExecutionRequest request;
  request.mutable_execution()->set_workflow_id("workflow");
  call<wf::DescribeWorkflowExecutionResponse>(
      CHIMERA_WORKFLOW_SERVICE(DescribeWorkflowExecution), std::move(request), [this](auto reply) {
        if (reply.ok()) run_id_ = (*reply)->workflow_execution_info().first_run_id();
      });
}

void Driver::plan() {
  client_.after(milliseconds(rng_.below(1500)), [this] { start_workflow(0); });
  if (rng_.percent(60)) {
    client_.after(milliseconds(rng_.below(3000)), [this] {
      wf::StartWorkflowExecutionRequest request;
      request.set_workflow_id("another");
      request.set_request_id("another start");
      request.mutable_workflow_type()->set_name("Idle");
      request.mutable_task_queue()->set_name("queue");
      call<wf::StartWorkflowExecutionResponse>(CHIMERA_WORKFLOW_SERVICE(StartWorkflowExecution),
                                               std::move(request), [](auto) {});
    });
  }
  if (rng_.percent(25)) {
    client_.after(milliseconds(rng_.below(30'000)), [this] {
      wf::RequestCancelWorkflowExecutionRequest request;
      request.mutable_workflow_execution()->set_workflow_id("workflow");
      request.set_request_id("the request to cancel");
      request.set_reason("enough");
      call<wf::RequestCancelWorkflowExecutionResponse>(
          CHIMERA_WORKFLOW_SERVICE(RequestCancelWorkflowExecution), std::move(request),
          [](auto) {});
    });
  }
  for (std::uint64_t i = rng_.below(4); i > 0; --i)
    client_.after(milliseconds(rng_.below(40'000)), [this] { replace_worker(); });
  client_.after(milliseconds(rng_.below(4000)), [this] { act(); });
  client_.after(kLook, [this] { look(); });
}

// Now and then at first; later only what a program may wait for.
void Driver::act() {
  if (closed_) return;
  ++actions_;
  client_.after(actions_ < 15 ? milliseconds(rng_.below(5000)) : milliseconds(20'000),
                [this] { act(); });
  const std::uint64_t what = actions_ < 15 ? rng_.below(10) : 0;
  if (what < 4) return signal("go");
  if (what < 6) return signal("handle");
  if (what < 8) {
    wf::UpdateWorkflowExecutionRequest request;
    request.mutable_workflow_execution()->set_workflow_id("workflow");
    request.mutable_wait_policy()->set_lifecycle_stage(
        enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
    request.mutable_request()->mutable_meta()->set_update_id(absl::StrCat("update ", actions_));
    request.mutable_request()->mutable_input()->set_name("change");
    request.mutable_request()->mutable_input()->mutable_args()->add_payloads()->set_data(
        absl::StrCat(rng_.below(1000)));
    return call<wf::UpdateWorkflowExecutionResponse>(
        CHIMERA_WORKFLOW_SERVICE(UpdateWorkflowExecution), std::move(request), [](auto) {});
  }
  wf::QueryWorkflowRequest request;
  request.mutable_execution()->set_workflow_id("workflow");
  request.mutable_query()->set_query_type(rng_.percent(80) ? "state" : "bad");
  call<wf::QueryWorkflowResponse>(CHIMERA_WORKFLOW_SERVICE(QueryWorkflow), std::move(request),
                                  [](auto) {});
}

void Driver::signal(const std::string& name) {
  wf::SignalWorkflowExecutionRequest request;
  request.mutable_workflow_execution()->set_workflow_id("workflow");
  request.set_signal_name(name);
  request.set_request_id(absl::StrCat("signal ", actions_));
  request.mutable_input()->add_payloads()->set_data(absl::StrCat(rng_.below(1000)));
  call<wf::SignalWorkflowExecutionResponse>(CHIMERA_WORKFLOW_SERVICE(SignalWorkflowExecution),
                                            std::move(request), [](auto) {});
}

// Whether the run has ended, and what follows then.
void Driver::look() {
  if (over_) return;
  client_.after(kLook, [this] { look(); });
  if (replacing_ && host().ended()) {
    replacing_ = false;
    worker_ended();
    if (closed_) {
      over_ = true;
    } else {
      open_worker();
    }
    return;
  }
  if (closed_) {
    if (!replacing_ && host().up()) {
      replacing_ = true;
      host().shut_down();
    }
    return;
  }
  if (run_id_.empty()) {
    if (world_.steady() > base::SteadyTime(std::chrono::hours(1)) + seconds(10)) start_workflow(1);
    return;
  }
  wf::DescribeWorkflowExecutionRequest request;
  request.mutable_execution()->set_workflow_id("workflow");
  request.mutable_execution()->set_run_id(run_id_);
  call<wf::DescribeWorkflowExecutionResponse>(
      CHIMERA_WORKFLOW_SERVICE(DescribeWorkflowExecution), std::move(request), [this](auto reply) {
        if (!reply.ok() || closed_) return;
        const auto status = (*reply)->workflow_execution_info().status();
        if (status == enums::WORKFLOW_EXECUTION_STATUS_RUNNING) return;
        closed_ = true;
        end_chain();
        read_history("");
      });
}

// A run that goes on as new would do so for ever.
void Driver::end_chain() {
  for (const char* id : {"workflow", "another"}) {
    wf::TerminateWorkflowExecutionRequest request;
    request.mutable_workflow_execution()->set_workflow_id(id);
    call<wf::TerminateWorkflowExecutionResponse>(
        CHIMERA_WORKFLOW_SERVICE(TerminateWorkflowExecution), std::move(request), [](auto) {});
  }
}

void Driver::read_history(std::string page) {
  wf::GetWorkflowExecutionHistoryRequest request;
  request.mutable_execution()->set_workflow_id("workflow");
  request.mutable_execution()->set_run_id(run_id_);
  request.set_next_page_token(std::move(page));
  call<wf::GetWorkflowExecutionHistoryResponse>(
      CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory), std::move(request),
      [this](auto reply) {
        if (!reply.ok()) return violations_.push_back("the history cannot be read");
        for (const auto& event : (*reply)->history().events())
          history_.push_back(std::make_shared<HistoryEvent>(event));
        if (!(*reply)->next_page_token().empty()) return read_history((*reply)->next_page_token());
        read_ = true;
      });
}

bool Driver::hangs() {
  return world_.steady() > base::SteadyTime(std::chrono::hours(1)) + kLongest ||
         world_.steps() > kStepsMax;
}

void Driver::run() {
  set_up();
  open_worker();
  plan();
  while (violations_.empty() && !(over_ && read_)) {
    if (hangs() || !world_.step()) {
      violations_.push_back(replacing_ ? "a worker does not end" : "the workflow does not end");
      break;
    }
    if (!book_.violations.empty()) violations_ = book_.violations;
    for (std::string& found : workflows_.violations()) violations_.push_back(std::move(found));
  }
}

}  // namespace chimera::sim
