// What an operator sees of a worker: metrics, probes and logs.
#include "tests/integration/world.h"
#include "tests/support/http_get.h"

namespace chimera::integration {
namespace {

using ::testing::StartsWith;

std::string greet(const std::string& name) {
  activity::logger().info("greeting " + name);
  return "Hello, " + name;
}

class GreetWorkflow {
 public:
  std::string run(std::string name) {
    workflow::logger().info("begun");
    auto greeting = workflow::execute_activity<&greet>(
        {.start_to_close_timeout = std::chrono::seconds(10)}, name);
    workflow::sleep(std::chrono::milliseconds(1));
    workflow::logger().info("ended");
    return greeting;
  }
};
const auto kGreet = define_workflow<&GreetWorkflow::run>("Greet");

class TelemetryTest : public World {};

TEST_F(TelemetryTest, MetricsHaveTheOfficialNamesAndLabels) {
  Worker worker(client_, options());
  worker.add(kGreet).add_activity<&greet>("greet");
  worker.start();
  EXPECT_EQ(client_.execute_workflow<&GreetWorkflow::run>(start("w"), "Ann"), "Hello, Ann");
  worker.shutdown();
  worker.wait();

  std::string text = testing::http_get(runtime_->metrics_port(), "/metrics");

  const std::string common = ",service_name=\"chimera\",task_queue=\"" + queue + "\"";
  for (const std::string& line :
       {"temporal_workflow_completed{namespace=\"default\"" + common +
            ",workflow_type=\"Greet\"} 1\n",
        "temporal_activity_task_received{activity_type=\"greet\",eager=\"true\",namespace="
        "\"default\"" +
            common + ",workflow_type=\"Greet\"} 1\n",
        "temporal_workflow_task_execution_latency_count{namespace=\"default\"" + common +
            ",workflow_type=\"Greet\"} ",
        "temporal_worker_task_slots_available{namespace=\"default\"" + common +
            ",worker_type=\"WorkflowWorker\"} 100\n",
        "temporal_num_pollers{namespace=\"default\",poller_type=\"activity_task\"" + common +
            "} 0\n",
        "temporal_sticky_cache_size{namespace=\"default\"" + common + "} 0\n",
        std::string("temporal_request{namespace=\"default\",operation="
                    "\"RespondWorkflowTaskCompleted\",service_name=\"chimera\"} "),
        std::string("temporal_request_latency_bucket{namespace=\"default\",operation="
                    "\"StartWorkflowExecution\",service_name=\"chimera\",le=\"50\"} "),
        std::string("temporal_long_request{namespace=\"default\",operation="
                    "\"PollWorkflowTaskQueue\",service_name=\"chimera\"} ")})
    EXPECT_THAT(text, HasSubstr(line));
}

// --- Metrics of user code ---

int weigh(int kilos) {
  activity::metric_meter().create_counter("weighed").add(2);
  activity::metric_meter().create_gauge("kilos").set(kilos);
  return kilos;
}

class MeterWorkflow {
 public:
  int run(int kilos) {
    const MetricMeter meter =
        workflow::metric_meter().with_additional_attributes({{"shop", "north"}});
    const MetricCounter steps = meter.create_counter("steps", "Steps of the workflow");
    steps.add();
    const int weight = workflow::execute_activity<&weigh>({.start_to_close_timeout = 10s}, kilos);
    steps.add();
    workflow::sleep(std::chrono::milliseconds(1));
    steps.add(1, {{"last", "yes"}});
    meter.create_histogram("weights").record(weight);
    meter.create_histogram_duration("waited").record(70ms);
    return weight;
  }
};
const auto kMeter = define_workflow<&MeterWorkflow::run>("Meter");

TEST_F(TelemetryTest, MetricsOfUserCodeAreShownAndSilentInReplay) {
  WorkerOptions without_cache = options();
  without_cache.max_cached_workflows = 0;  // Each task replays all that went before.
  Worker worker(client_, without_cache);
  worker.add(kMeter).add_activity<&weigh>("weigh");
  worker.start();
  const MetricCounter outside = runtime_->metric_meter().create_counter("outside");

  EXPECT_EQ(client_.execute_workflow<&MeterWorkflow::run>(start("w"), 60), 60);
  outside.add(5);
  worker.shutdown();
  worker.wait();

  std::string text = testing::http_get(runtime_->metrics_port(), "/metrics");
  const std::string common = "service_name=\"chimera\",";
  const std::string queue_tag = "task_queue=\"" + queue + "\"";
  const std::string workflow = common + "shop=\"north\"," + queue_tag + ",workflow_type=\"Meter\"";
  for (const std::string& line :
       {std::string("# HELP steps Steps of the workflow\n"),
        std::string("steps{namespace=\"default\",") + workflow + "} 2\n",
        std::string("steps{last=\"yes\",namespace=\"default\",") + workflow + "} 1\n",
        std::string("weights_bucket{namespace=\"default\",") + workflow + ",le=\"50\"} 0\n",
        std::string("weights_bucket{namespace=\"default\",") + workflow + ",le=\"100\"} 1\n",
        std::string("waited_sum{namespace=\"default\",") + workflow + "} 70\n",
        "weighed{activity_type=\"weigh\",namespace=\"default\"," + common + queue_tag + "} 2\n",
        "kilos{activity_type=\"weigh\",namespace=\"default\"," + common + queue_tag + "} 60\n",
        std::string("outside{service_name=\"chimera\"} 5\n")})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST_F(TelemetryTest, WrongNamesOfMetricsAreRefused) {
  const MetricMeter meter = runtime_->metric_meter();
  meter.create_counter("mine");

  EXPECT_THROW(meter.create_counter("two words"), std::invalid_argument);
  EXPECT_THROW(meter.create_gauge("mine"), std::invalid_argument);
  EXPECT_THROW(workflow::metric_meter(), std::logic_error);
  EXPECT_THROW(activity::metric_meter(), std::logic_error);
}

TEST_F(TelemetryTest, ProbesFollowTheWorker) {
  auto get = [this](const char* path) { return testing::http_get(runtime_->metrics_port(), path); };
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
  Worker worker(client_, options());
  worker.add(kGreet);
  worker.start();

  EXPECT_THAT(get("/readyz"), HasSubstr("200 OK"));
  EXPECT_THAT(get("/readyz"), HasSubstr("worker " + queue + ": ok\n"));
  EXPECT_THAT(get("/livez"), HasSubstr("200 OK"));
  worker.shutdown();
  worker.wait();
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(TelemetryTest, LogsCarryFieldsAndAreSilentInReplay) {
  WorkerOptions options = this->options();
  options.max_cached_workflows = 0;  // Every task replays from the start.
  Worker worker(client_, options);
  worker.add(kGreet).add_activity<&greet>("greet");
  worker.start();

  client_.execute_workflow<&GreetWorkflow::run>(start("w"), "Ann");

  auto begun = logged("workflow: begun"), ended = logged("workflow: ended");
  ASSERT_EQ(begun.size(), 1u);
  ASSERT_EQ(ended.size(), 1u);
  for (const std::string& field :
       {std::string(" workflow_id=w"), std::string(" run_id="), std::string(" workflow_type=Greet"),
        " task_queue=" + queue, std::string(" attempt=1")})
    EXPECT_THAT(begun[0], HasSubstr(field));
  auto greeting = logged("activity: greeting Ann");
  ASSERT_EQ(greeting.size(), 1u);
  for (const std::string& field :
       {std::string(" activity_type=greet"), std::string(" activity_id="),
        std::string(" attempt=1"), std::string(" workflow_id=w"), " task_queue=" + queue})
    EXPECT_THAT(greeting[0], HasSubstr(field));
}

TEST_F(TelemetryTest, AnAddressInUseIsNamed) {
  std::string address = "127.0.0.1:" + std::to_string(runtime_->metrics_port());

  EXPECT_THAT([&] { Runtime({.metrics = PrometheusConfig{.bind_address = address}}); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("choose another port")));
}

}  // namespace
}  // namespace chimera::integration
