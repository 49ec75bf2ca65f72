// Histories that the Go, Java and TypeScript SDKs made replay with the same program in C++, past
// their local activities, side effects and versions; and a program that changed is found out.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/replay/foreign/program.h"

namespace chimera::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path kHistories =
    std::filesystem::path(CHIMERA_TEST_DATA) / "replay/golden/histories";

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Case {
  std::string sdk;
  std::filesystem::path file;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* sdk : {"go", "java", "typescript"}) {
    for (const auto& entry : std::filesystem::directory_iterator(kHistories / sdk)) {
      if (const auto kind = entry.path().extension(); kind == ".json" || kind == ".bin")
        all.push_back({sdk, entry.path()});
    }
  }
  return all;
}

WorkflowHistory history_of(const std::filesystem::path& file) {
  const std::string bytes = bytes_of(file);
  return file.extension() == ".json" ? WorkflowHistory::from_json(bytes)
                                     : WorkflowHistory::from_binary(bytes);
}

void replay(const Case& one) {
  program().typescript = one.sdk == "typescript";
  Replayer replayer;
  add_program(replayer);
  replayer.replay(history_of(one.file));
}

// What the replayer says to the history of `sdk`'s program.
std::string complaint(const std::string& sdk, const std::string& name = "rich_1.json") {
  try {
    replay({sdk, kHistories / sdk / name});
  } catch (const NondeterminismError& error) {
    return error.what();
  } catch (const ReplayError& error) {
    return absl::StrCat("no nondeterminism: ", error.what());
  }
  return "replayed";
}

class ForeignReplayTest : public ::testing::TestWithParam<Case> {
 protected:
  ~ForeignReplayTest() override { program() = {}; }
};

TEST_P(ForeignReplayTest, ReplaysToItsEnd) {
  EXPECT_NO_THROW(replay(GetParam()));

  EXPECT_EQ(program().functions_called, 0) << "what history has is not made again";
  const bool rich = GetParam().file.stem().string().starts_with("rich");
  if (!rich || GetParam().sdk == "typescript") return;
  EXPECT_THAT(program().values, ElementsAre(42, 42, 42, 43));
  EXPECT_THAT(program().versions, ElementsAre(2, 1, 2));
}

INSTANTIATE_TEST_SUITE_P(, ForeignReplayTest, ::testing::ValuesIn(cases()), [](const auto& info) {
  std::string name = absl::StrCat(info.param.sdk, "_", info.param.file.filename().string());
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

class ChangedProgramTest : public ::testing::TestWithParam<const char*> {
 protected:
  ~ChangedProgramTest() override { program() = {}; }
};
INSTANTIATE_TEST_SUITE_P(, ChangedProgramTest, ::testing::Values("go", "java"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(ChangedProgramTest, AnotherLocalActivityIsFound) {
  program().local_activity = "Other";
  EXPECT_THAT(complaint(GetParam()),
              HasSubstr("the local activity types differ: history has Flaky, the code Other"));
}

TEST_P(ChangedProgramTest, AnotherActivityIsFound) {
  program().activity = "Other";
  EXPECT_THAT(complaint(GetParam()), HasSubstr("the activity types differ"));
}

TEST_P(ChangedProgramTest, AnotherChildIsFound) {
  program().child = "Other";
  EXPECT_THAT(complaint(GetParam()), HasSubstr("the child workflow types differ"));
}

TEST_P(ChangedProgramTest, AVersionThatTheCodeDroppedIsFound) {
  program().first_version = [] { return workflow::get_version("change-a", 3, 4); };
  EXPECT_THAT(complaint(GetParam()),
              HasSubstr("this run has version 2 of the change \"change-a\", and the code supports "
                        "3 to 4: it has dropped the version too early"));
}

TEST_P(ChangedProgramTest, AVersionNewerThanTheCodeIsFound) {
  program().first_version = [] { return workflow::get_version("change-a", -1, 1); };
  EXPECT_THAT(complaint(GetParam()), HasSubstr("it is older than the run"));
}

TEST_P(ChangedProgramTest, AChangeThatHistoryLacksHasTheDefaultVersion) {
  int version = 0;
  program().first_version = [&] {
    version = workflow::get_version("new", workflow::kDefaultVersion, 5);
    return workflow::get_version("change-a", workflow::kDefaultVersion, 2);
  };
  EXPECT_EQ(complaint(GetParam()), "replayed");
  EXPECT_EQ(version, workflow::kDefaultVersion);
}

TEST_P(ChangedProgramTest, AVersionNoLongerAskedForIsPassedOver) {
  program().first_version = [] { return 2; };
  EXPECT_EQ(complaint(GetParam()), "replayed");
}

TEST_P(ChangedProgramTest, ASideEffectNoLongerAskedForIsFound) {
  program().side_effects = [] {};
  EXPECT_THAT(complaint(GetParam()), HasSubstr("the code no longer asks for side effect 1 here"));
}

TEST_P(ChangedProgramTest, ASideEffectTooManyIsFound) {
  program().side_effects = [] {
    workflow::side_effect([] { return 1; });
    workflow::side_effect([] { return 2; });
  };
  EXPECT_THAT(complaint(GetParam()),
              HasSubstr("the code asks for side effect 2, which history has no marker of"));
}

TEST_P(ChangedProgramTest, AnotherMutableSideEffectIsFound) {
  program().side_effects = [] {
    workflow::side_effect([] { return 1; });
    workflow::mutable_side_effect("other", [] { return 2; });
  };
  EXPECT_THAT(complaint(GetParam()), HasSubstr("the code asks for the mutable side effect "
                                               "\"other\", which history has no marker of"));
}

TEST_P(ChangedProgramTest, AMutableSideEffectNoLongerAskedForIsPassedOver) {
  program().side_effects = [] { workflow::side_effect([] { return 1; }); };
  EXPECT_EQ(complaint(GetParam()), "replayed");
}

// The same history, made by somebody else: what is Go's own way is then not looked at.
TEST(ForeignDialectTest, OnlyTheSdksNameSaysHowAHistoryIsRead) {
  std::string json = bytes_of(kHistories / "go/rich_1.json");
  const std::string name = "temporal-go";
  ASSERT_NE(json.find(name), std::string::npos);
  json.replace(json.find(name), name.size(), "temporal-xx");
  Replayer replayer;
  add_program(replayer);
  EXPECT_THROW(replayer.replay(WorkflowHistory::from_json(json)), NondeterminismError);
  program() = {};
}

}  // namespace
}  // namespace chimera::testing
