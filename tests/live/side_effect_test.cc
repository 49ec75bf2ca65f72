// Side effects and versions: kept by history, through evictions and new code.
#include <atomic>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "chimera/codec.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;

CHIMERA_LIVE(SideEffectLive);

std::atomic<int> made{0};
int next() { return ++made; }

// Asks on both sides of a timer: without a cache the second half runs in a replay of the first.
struct Draws {
  std::vector<int> run() {
    std::vector<int> drawn = {workflow::side_effect(&next), workflow::side_effect(&next)};
    workflow::sleep(1ms);
    drawn.push_back(workflow::side_effect(&next));
    workflow::sleep(1ms);
    return drawn;
  }
};

TEST_P(SideEffectLive, AValueIsMadeOnce) {
  registry().add(define_workflow<&Draws::run>("Draws"));
  start_worker();
  made = 0;

  const auto handle = start<&Draws::run>();

  EXPECT_EQ(handle.result(), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(made, 3);
  EXPECT_EQ(count_events(handle.fetch_history(), "MARKER_RECORDED"), 3);
}

std::atomic<int> setting{1};
struct Watches {
  static int look() {
    return workflow::mutable_side_effect("setting", [] { return setting.load(); });
  }
  std::vector<int> run() {
    std::vector<int> seen;
    for (int i = 0; i < 3; ++i) {
      seen.push_back(look());
      seen.push_back(look());
      const std::size_t before = looks;
      workflow::wait_condition([&] { return looks > before; });
    }
    return seen;
  }
  void look_again() { ++looks; }
  int count() const { return static_cast<int>(looks); }
  std::size_t looks = 0;
};

TEST_P(SideEffectLive, AMutableValueIsKeptWhenItChanges) {
  registry().add(define_workflow<&Watches::run>("Watches")
                     .signal<&Watches::look_again>("look_again")
                     .query<&Watches::count>("count"));
  start_worker();
  setting = 1;

  const auto handle = start<&Watches::run>();
  EXPECT_EQ(handle.query<&Watches::count>(), 0);
  handle.signal<&Watches::look_again>();
  EXPECT_EQ(handle.query<&Watches::count>(), 1);
  eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_COMPLETED") == 2; },
             "its second look");
  setting = 2;
  handle.signal<&Watches::look_again>();
  eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_COMPLETED") == 3; },
             "its third look");
  setting = 3;  // Whom nobody asks any more.
  handle.signal<&Watches::look_again>();

  EXPECT_EQ(handle.result(), (std::vector<int>{1, 1, 1, 1, 2, 2}));
  EXPECT_EQ(count_events(handle.fetch_history(), "MARKER_RECORDED"), 2);
}

// --- Versions ---

std::string step(std::string what) { return what; }
const ActivityOptions kOptions{.start_to_close_timeout = 10s};

struct Changes {
  static std::atomic<int> code;
  bool done = false;
  void finish() { done = true; }
  std::string run() {
    std::string way = "old";
    if (code == 2 && workflow::get_version("way", workflow::kDefaultVersion, 1) == 1) way = "new";
    if (code == 3) way = workflow::get_version("way", 1, 2) == 2 ? "newest" : "new";
    static_cast<void>(workflow::execute_activity<&step>(kOptions, way));
    workflow::wait_condition([this] { return done; });
    if (code == 2) absl::StrAppend(&way, workflow::get_version("way", -1, 1));
    if (code == 3) absl::StrAppend(&way, workflow::get_version("way", 1, 2));
    return way;
  }
};
std::atomic<int> Changes::code{1};

TEST_P(SideEffectLive, VersionsFollowTheHistory) {
  registry()
      .add(define_workflow<&Changes::run>("Changes").signal<&Changes::finish>("finish"))
      .add_activity<&step>();
  do_not_replay();
  const auto begin = [&](int code) {
    Changes::code = code;
    start_worker();
    auto handle = start<&Changes::run>();
    eventually([&] { return count_events(handle.fetch_history(), "ACTIVITY_TASK_COMPLETED") == 1; },
               "its activity");
    stop_worker();
    return handle;
  };
  const auto end = [&](const auto& handle, int code) {
    Changes::code = code;
    start_worker();
    handle.template signal<&Changes::finish>();
    const std::string result = handle.result();
    stop_worker();
    return result;
  };

  EXPECT_EQ(end(begin(1), 2), "old-1");
  EXPECT_EQ(end(begin(2), 2), "new1");
  const auto listed = begin(2);
  EXPECT_THAT(listed.fetch_history(), HasSubstr("TemporalChangeVersion"));
  EXPECT_EQ(end(listed, 3), "new1") << "code without the oldest way still has the one before";
  EXPECT_EQ(end(begin(3), 3), "newest2");
}

// --- What Go reads ---

// The program of golden/histories/cpp, which the Go SDK's replayer reads.
struct ForGo {
  std::string run(int seed) {
    const int version = workflow::get_version("change-a", workflow::kDefaultVersion, 2);
    const int side = workflow::side_effect([&] { return seed; });
    std::string seen = absl::StrCat(version, " ", side);
    const auto look = [&](int value) {
      absl::StrAppend(&seen, " ", workflow::mutable_side_effect("ms", [&] { return value; }));
    };
    look(seed);
    look(seed);
    look(seed + 1);
    ActivityOptions options = kOptions;
    options.activity_id = "the-step";
    static_cast<void>(workflow::execute_activity<&step>(options, seen));
    absl::StrAppend(&seen, " ", workflow::get_version("change-b", 1, 1));
    look(seed + 1);
    look(seed + 2);
    absl::StrAppend(&seen, " ", workflow::side_effect([&] { return seed + 3; }));
    return seen;
  }
};

json markers_of(const std::string& history) {
  json all = json::array();
  const json parsed = json::parse(history);
  for (const json& event : parsed.at("events")) {
    for (const char* kind :
         {"markerRecordedEventAttributes", "upsertWorkflowSearchAttributesEventAttributes"}) {
      if (event.contains(kind)) all.push_back({{event.at("eventId"), event.at(kind)}});
    }
  }
  return all;
}

TEST_P(SideEffectLive, MarkersAreThoseThatGoReads) {
  registry().add(define_workflow<&ForGo::run>("ForGo")).add_activity<&step>();
  start_worker();

  const auto handle = start<&ForGo::run>(42);

  EXPECT_EQ(handle.result(), "2 42 42 42 43 1 43 44 45");
  std::ifstream in(CHIMERA_TEST_DATA "/replay/golden/histories/cpp/for_go.json");
  const std::string golden{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(markers_of(handle.fetch_history()), markers_of(golden)) << handle.fetch_history();
}

// --- A codec ---

TEST_P(SideEffectLive, ACodecEncodesTheValuesAlone) {
  client_options().payload_codec = aes_gcm_codec("key", {{"key", std::string(32, 'k')}});
  registry().add(define_workflow<&ForGo::run>("ForGo")).add_activity<&step>();
  start_worker();

  const auto handle = start<&ForGo::run>(4711);

  EXPECT_EQ(handle.result(), "2 4711 4711 4711 4712 1 4712 4713 4714");
  const std::string history = handle.fetch_history();
  EXPECT_EQ(count_events(history, "MARKER_RECORDED"), 7);
  EXPECT_THAT(history, HasSubstr("ImNoYW5nZS1hIg=="));     // "change-a", for people to read.
  EXPECT_THAT(history, testing::Not(HasSubstr("NDcxM")));  // 471.
}

// --- Functions that throw ---

std::atomic<int> attempts{0};
struct Unlucky {
  int run() {
    return workflow::side_effect([] {
      if (++attempts < 2) throw std::runtime_error("no luck");
      return attempts.load();
    });
  }
};

TEST_P(SideEffectLive, AFunctionThatThrowsFailsTheTaskWhichIsTriedAgain) {
  registry().add(define_workflow<&Unlucky::run>("Unlucky"));
  start_worker();
  attempts = 0;

  const auto handle = start<&Unlucky::run>();

  EXPECT_EQ(handle.result(), 2);
  EXPECT_THAT(handle.fetch_history(), HasSubstr("the function of side_effect() in workflow"));
}

}  // namespace
}  // namespace chimera::live
