// The public Replayer on small histories in JSON.
#include "chimera/replayer.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace chimera {

using namespace std::chrono_literals;

std::string greet_politely(const std::string& name) { return "Good morning, " + name; }
struct PoliteHello {
  static inline int line = 0;
  std::string run(std::string name) {
    line = __LINE__ + 1;
    workflow::sleep(1h);
    return workflow::execute_activity<&greet_politely>({.start_to_close_timeout = 10s}, name);
  }
};

namespace {

std::string greet(const std::string& name) { return "Hello, " + name; }
std::string shout(const std::string& name) { return name + "!"; }

struct Hello {
  std::string run(std::string name) {
    return workflow::execute_activity<&greet>({.start_to_close_timeout = 10s}, name);
  }
};
struct ChangedHello {
  std::string run(std::string name) {
    return workflow::execute_activity<&shout>({.start_to_close_timeout = 10s}, name);
  }
};
// What the code calls through is not where it is.
struct RoundaboutHello {
  static inline int line = 0;
  template <auto F>
  static std::string call(const std::string& name) {
    line = __LINE__ + 1;
    return workflow::start_activity<F>({.start_to_close_timeout = 10s}, name).get();
  }
  std::string run(std::string name) {
    return workflow::spawn([&] { return call<&shout>(name); }).get();
  }
};
struct ScatteredHello {
  static inline int line = 0;
  std::string run(std::string name) {
    line = __LINE__ + 1;
    const int number = workflow::side_effect([] { return 1; });
    return name + std::to_string(number);
  }
};
struct BrokenHello {
  std::string run(std::string) { throw 42; }
};

// Hello("you"), with the activity done. Flag 1: types and ids are compared.
constexpr const char* kHistory = R"({"events": [
  {"eventId": "1", "eventTime": "2026-01-01T00:00:00Z",
   "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
   "workflowExecutionStartedEventAttributes": {
     "workflowType": {"name": "Hello"}, "taskQueue": {"name": "q"}, "workflowId": "hello-1",
     "originalExecutionRunId": "run-1", "firstExecutionRunId": "run-1", "attempt": 1,
     "input": {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "InlvdSI="}]}}},
  {"eventId": "2", "eventTime": "2026-01-01T00:00:00Z",
   "eventType": "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
   "workflowTaskScheduledEventAttributes": {"attempt": 1}},
  {"eventId": "3", "eventTime": "2026-01-01T00:00:01Z",
   "eventType": "EVENT_TYPE_WORKFLOW_TASK_STARTED",
   "workflowTaskStartedEventAttributes": {"scheduledEventId": "2"}},
  {"eventId": "4", "eventTime": "2026-01-01T00:00:01Z",
   "eventType": "EVENT_TYPE_WORKFLOW_TASK_COMPLETED",
   "workflowTaskCompletedEventAttributes": {"scheduledEventId": "2", "startedEventId": "3",
     "sdkMetadata": {"coreUsedFlags": [1, 2]}}},
  {"eventId": "5", "eventTime": "2026-01-01T00:00:01Z",
   "eventType": "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED",
   "activityTaskScheduledEventAttributes": {
     "activityId": "1", "activityType": {"name": "greet"}, "workflowTaskCompletedEventId": "4"}},
  {"eventId": "6", "eventTime": "2026-01-01T00:00:02Z",
   "eventType": "EVENT_TYPE_ACTIVITY_TASK_STARTED",
   "activityTaskStartedEventAttributes": {"scheduledEventId": "5", "attempt": 1}},
  {"eventId": "7", "eventTime": "2026-01-01T00:00:02Z",
   "eventType": "EVENT_TYPE_ACTIVITY_TASK_COMPLETED",
   "activityTaskCompletedEventAttributes": {"scheduledEventId": "5", "startedEventId": "6",
     "result": {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="},
                              "data": "IkhlbGxvLCB5b3Ui"}]}}},
  {"eventId": "8", "eventTime": "2026-01-01T00:00:02Z",
   "eventType": "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
   "workflowTaskScheduledEventAttributes": {"attempt": 1}},
  {"eventId": "9", "eventTime": "2026-01-01T00:00:03Z",
   "eventType": "EVENT_TYPE_WORKFLOW_TASK_STARTED",
   "workflowTaskStartedEventAttributes": {"scheduledEventId": "8"}},
  {"eventId": "10", "eventTime": "2026-01-01T00:00:03Z",
   "eventType": "EVENT_TYPE_WORKFLOW_TASK_COMPLETED",
   "workflowTaskCompletedEventAttributes": {"scheduledEventId": "8", "startedEventId": "9"}},
  {"eventId": "11", "eventTime": "2026-01-01T00:00:03Z",
   "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED", "aFieldOfTheFuture": 1,
   "workflowExecutionCompletedEventAttributes": {"workflowTaskCompletedEventId": "10"}}
]})";

template <auto Run>
Replayer replayer_of() {
  Replayer replayer;
  replayer.add_activity<&greet>("greet").add_activity<&shout>("shout");
  replayer.add(define_workflow<Run>("Hello"));
  return replayer;
}

TEST(Replayer, AcceptsCodeThatAgreesWithTheHistory) {
  const auto history = WorkflowHistory::from_json(kHistory);
  EXPECT_EQ(history.workflow_id(), "hello-1");
  EXPECT_EQ(history.workflow_type(), "Hello");
  EXPECT_EQ(history.size(), 11u);
  auto replayer = replayer_of<&Hello::run>();
  replayer.replay(history);
  replayer.replay(history);  // As often as one likes.
}

TEST(Replayer, SaysBothSidesAndTheEventWhereTheyDisagree) {
  auto replayer = replayer_of<&ChangedHello::run>();
  try {
    replayer.replay(WorkflowHistory::from_json(kHistory));
    FAIL() << "replayed";
  } catch (const NondeterminismError& error) {
    for (const char* part : {"event 5", "greet", "shout", "hello-1"})
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

template <auto Run>
std::string report_of() {
  auto replayer = replayer_of<Run>();
  try {
    replayer.replay(WorkflowHistory::from_json(kHistory));
  } catch (const NondeterminismError& error) {
    return error.what();
  }
  return "replayed";
}

// With the build's debug information: with less, the function alone.
void expect_place(const std::string& report, const std::string& file_and_line,
                  const std::string& function) {
#ifdef CHIMERA_BACKTRACE
  EXPECT_NE(report.find(", at " + file_and_line + " in " + function), std::string::npos)
      << report << "\nwants " << file_and_line << " in " << function;
#endif
}

TEST(Replayer, SaysWhereTheCodeHasIssuedACommand) {
  const std::string changed = report_of<&ChangedHello::run>();
  EXPECT_NE(changed.find("the activity 'greet' was renamed to 'shout'"), std::string::npos)
      << changed;
  EXPECT_NE(changed.find("after, history: event 11, WorkflowExecutionCompleted"), std::string::npos)
      << changed;

  const std::string polite = report_of<&PoliteHello::run>();
  expect_place(polite, "replayer_test.cc:" + std::to_string(PoliteHello::line),
               "chimera::PoliteHello::run\n");
  EXPECT_NE(polite.find("StartTimer 1, start_to_fire_timeout=1h"), std::string::npos) << polite;

  const std::string roundabout = report_of<&RoundaboutHello::run>();
  expect_place(roundabout, "replayer_test.cc:" + std::to_string(RoundaboutHello::line), "call");
}

TEST(Replayer, SaysWhereACallIsThatHistoryHasNoMarkerOf) {
  const std::string report = report_of<&ScatteredHello::run>();
  expect_place(report, "replayer_test.cc:" + std::to_string(ScatteredHello::line), "run");
  EXPECT_NE(report.find("Probably a call of side_effect() was added"), std::string::npos) << report;
  EXPECT_NE(report.find("after, history: event 5, ActivityTaskScheduled, activity greet"),
            std::string::npos)
      << report;
}

TEST(Replayer, SaysWhatTheCodeThrew) {
  auto replayer = replayer_of<&BrokenHello::run>();
  try {
    replayer.replay(WorkflowHistory::from_json(kHistory));
    FAIL() << "replayed";
  } catch (const ReplayError& error) {
    EXPECT_EQ(dynamic_cast<const NondeterminismError*>(&error), nullptr) << error.what();
    EXPECT_NE(std::string(error.what()).find("int"), std::string::npos) << error.what();
  }
}

// The first `events` of kHistory.
WorkflowHistory cut_after(int events) {
  const std::string text = kHistory;
  const auto end = text.find("{\"eventId\": \"" + std::to_string(events + 1) + "\"");
  return WorkflowHistory::from_json(text.substr(0, text.rfind('}', end) + 1) + "]}");
}

TEST(Replayer, ReplaysAHistoryUpToWhereItIsCut) {
  auto replayer = replayer_of<&Hello::run>();
  for (const int events : {1, 2, 3, 5, 6, 7, 8, 9}) replayer.replay(cut_after(events));
  for (const int events : {4, 10}) {  // Between a task's completion and its command's event.
    try {
      replayer.replay(cut_after(events));
      FAIL() << "replayed";
    } catch (const ReplayError& error) {
      EXPECT_EQ(dynamic_cast<const NondeterminismError*>(&error), nullptr) << error.what();
      EXPECT_NE(std::string(error.what()).find("ends at event " + std::to_string(events)),
                std::string::npos)
          << error.what();
    }
  }
}

TEST(Replayer, NamesTheTypesThatItHas) {
  Replayer replayer;
  replayer.add(define_workflow<&Hello::run>("Other"));
  try {
    replayer.replay(WorkflowHistory::from_json(kHistory));
    FAIL() << "replayed";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("'Hello'"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("'Other'"), std::string::npos) << error.what();
  }
}

TEST(Replayer, RefusesWhatIsNoHistory) {
  EXPECT_THROW(WorkflowHistory::from_json("{"), std::invalid_argument);
  EXPECT_THROW(WorkflowHistory::from_json("{}"), std::invalid_argument);
  EXPECT_THROW(WorkflowHistory::from_binary("\xff\xff"), std::invalid_argument);
}

class ReplayerOfFiles : public ::testing::Test {
 protected:
  ReplayerOfFiles() { std::filesystem::create_directories(folder_ / "older"); }
  ~ReplayerOfFiles() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(ReplayerOfFiles, ReplaysAllOfAFolder) {
  write("b.json", kHistory);
  write("older/a.json", kHistory);
  write("notes.txt", "no history");
  auto replayer = replayer_of<&Hello::run>();

  const ReplayReport report = replayer.replay_files(folder_.string());

  EXPECT_TRUE(report.ok()) << report.text();
  ASSERT_EQ(report.results.size(), 2u);
  EXPECT_EQ(report.results[0].source, (folder_ / "b.json").string());
  EXPECT_EQ(report.results[0].workflow_id, "hello-1");
  EXPECT_EQ(report.text(), "2 of 2 histories replay");
  EXPECT_EQ(replayer.replay_files((folder_ / "b.json").string()).results.size(), 1u);
}

TEST_F(ReplayerOfFiles, GoesOnAfterFailuresAndTellsThemAll) {
  write("a.json", "{");
  write("b.json", kHistory);
  auto replayer = replayer_of<&ChangedHello::run>();

  const ReplayReport report = replayer.replay_files(folder_.string());

  EXPECT_EQ(report.failures(), 2u);
  EXPECT_THROW(std::rethrow_exception(report.results[0].error), std::invalid_argument);
  EXPECT_THROW(std::rethrow_exception(report.results[1].error), NondeterminismError);
  for (const char* part :
       {"0 of 2 histories replay", "a.json", "b.json (Hello 'hello-1')", "shout"})
    EXPECT_NE(report.text().find(part), std::string::npos) << report.text();
}

TEST_F(ReplayerOfFiles, RefusesToReplayNothing) {
  auto replayer = replayer_of<&Hello::run>();
  EXPECT_THROW(replayer.replay_files(folder_.string()), std::invalid_argument);
  EXPECT_THROW(replayer.replay_files((folder_ / "missing").string()), std::invalid_argument);
}

TEST(RegistryTest, ALibraryThatIsNotThereIsNamed) {
  Replayer replayer;
  try {
    replayer.add(define_workflow<&Hello::run>("Hello")).add_library("/no/such/liborders.so");
    FAIL() << "it was loaded";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("/no/such/liborders.so"), std::string::npos);
  }
  EXPECT_EQ(replayer.workflows().size(), 1);
}

}  // namespace
}  // namespace chimera
