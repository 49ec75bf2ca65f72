// Values that nest: how deep they may, on the stack of a workflow, and what is said beyond that.
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/converter.h"
#include "core/converter/json.h"
#include "sdk-cpp/src/fiber.h"
#include "sdk-cpp/src/stack_pool.h"

namespace chimera {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

struct Chain {
  int value = 0;
  std::unique_ptr<Chain> next;
};
struct Tree {
  std::vector<Tree> children;
};
// Through an alternative of a variant, whose failures are caught on every level.
struct Either {
  std::variant<std::int64_t, std::vector<Either>> value;
};

Payload json(std::string text) { return {{{"encoding", "json/plain"}}, std::move(text)}; }

std::string nested(const std::string& open, const std::string& middle, const std::string& close,
                   int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += middle;
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}
std::string chain(int depth) { return nested(R"({"next":)", "null", R"(,"value":0})", depth); }
std::string tree(int depth) { return nested(R"({"children":[)", "", "]}", depth); }
std::string either(int depth) { return nested(R"({"value":[)", R"({"value":1})", "]}", depth); }

// There and back, on the stack of a workflow; "" or the error.
template <class T>
std::string round_trip(const std::string& text, std::size_t stack_bytes = sdk::kStackBytes) {
  std::string error;
  const std::string owner = "workflow Nesting";
  sdk::Fiber fiber(
      [&] {
        try {
          EXPECT_EQ(make_payload(from_payload<T>(json(text))).data, text);
        } catch (const ConversionError& caught) {
          error = caught.what();
        }
      },
      owner, sdk::StackPool::of(stack_bytes));
  EXPECT_TRUE(fiber.prepare().ok());
  fiber.resume();
  return error;
}

TEST(NestingTest, AHundredLevelsOfEveryKindPass) {
  EXPECT_EQ(round_trip<Chain>(chain(100)), "");
  EXPECT_EQ(round_trip<Chain>(chain(200)), "");
  EXPECT_EQ(round_trip<Tree>(tree(100)), "");
  EXPECT_EQ(round_trip<Either>(either(100)), "");
}

TEST(NestingTest, BeyondTheLimitTheErrorNamesThePath) {
  const std::string error = round_trip<Chain>(chain(5000));
  EXPECT_THAT(error, StartsWith("next.next.next."));
  EXPECT_THAT(error, HasSubstr(" ... "));
  EXPECT_THAT(error, EndsWith(".next: cannot read this value: it nests more than 300 levels deep"));
  EXPECT_THAT(round_trip<Tree>(tree(5000)), HasSubstr("children[0].children[0]"));
  EXPECT_THAT(round_trip<Either>(either(5000)), HasSubstr("nests more than 300"));
}

TEST(NestingTest, ASmallStackHasALimitOfItsOwn) {
  EXPECT_THAT(round_trip<Either>(either(140), sdk::kStackBytesMin),
              HasSubstr("it nests too deep for what is left of the stack"));
}

TEST(NestingTest, WritingHasTheSameLimitAndNamesThePath) {
  struct Shared {
    std::vector<std::shared_ptr<Shared>> to;
  };
  const auto cycle = std::make_shared<Shared>();
  cycle->to = {nullptr, cycle};
  try {
    make_payload(cycle);
    ADD_FAILURE() << "a cycle was written";
  } catch (const NestingError& error) {
    EXPECT_THAT(error.what(), StartsWith("to[1].to[1].to[1]."));
    EXPECT_THAT(error.what(), HasSubstr("cannot write this value: it nests more than 300 levels"));
  }
  cycle->to.clear();
}

// Whatever the text, an error about it quotes a piece of it.
TEST(NestingTest, ADeepValueWhereAnotherIsExpectedIsNamedInShort) {
  const std::string deep = nested("[", "1", "]", 200'000);
  EXPECT_EQ(round_trip<std::int64_t>(deep),
            absl::StrCat("expected integer, got ", std::string(40, '['), "..."));
}

}  // namespace
}  // namespace chimera
