#include "chimera/pages.h"

#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace chimera {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Range = PagedRange<int>;

static_assert(std::ranges::input_range<Range>);

// Pages of these numbers, each as long as it was asked for, or of two; what was asked.
struct Source {
  std::vector<int> numbers;
  std::vector<std::string> asked;
  int fails_at = -1;

  Range range(const ListOptions& options = {}) {
    return Range(
        [this](int size, const std::string& token) {
          asked.push_back(token + ":" + std::to_string(size));
          if (static_cast<int>(asked.size()) - 1 == fails_at) throw std::runtime_error("away");
          std::size_t at = token.empty() ? 0 : std::stoul(token);
          Range::Page page;
          for (int i = 0; i < (size == 0 ? 2 : size) && at < numbers.size(); ++i)
            page.items.push_back(numbers[at++]);
          if (at < numbers.size()) page.next_token = std::to_string(at);
          return page;
        },
        options);
  }
};

TEST(PagesTest, PagesAreFetchedAsTheyAreRead) {
  Source source{{1, 2, 3, 4, 5}, {}};
  Range range = source.range();
  EXPECT_THAT(source.asked, IsEmpty());
  std::vector<int> read;
  for (const int each : range) {
    read.push_back(each);
    if (each == 2) {
      EXPECT_THAT(source.asked, ElementsAre(":0"));
    }
  }
  EXPECT_THAT(read, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(source.asked, ElementsAre(":0", "2:0", "4:0"));
  EXPECT_THAT(range.all(), IsEmpty());  // It is read once.
}

TEST(PagesTest, ALimitAsksForNoMore) {
  Source source{{1, 2, 3, 4, 5}, {}};
  EXPECT_THAT(source.range({.page_size = 2, .limit = 3}).all(), ElementsAre(1, 2, 3));
  EXPECT_THAT(source.asked, ElementsAre(":2", "2:1"));
  EXPECT_THAT(source.range({.limit = 0}).all(), IsEmpty());
  EXPECT_EQ(source.asked.size(), 2u);
}

TEST(PagesTest, EmptyPagesAreGoneBy) {
  int calls = 0;
  Range range(
      [&](int, const std::string&) {
        ++calls;
        return calls < 3 ? Range::Page{{}, "more"} : Range::Page{{7}, ""};
      },
      {});
  EXPECT_THAT(range.all(), ElementsAre(7));
}

TEST(PagesTest, ReadingGoesOnWhereAPageFailed) {
  Source source{{1, 2, 3}, {}, 1};
  Range range = source.range();
  std::vector<int> read;
  EXPECT_THROW(for (const int each : range) read.push_back(each), std::runtime_error);
  for (const int each : range.all()) read.push_back(each);
  EXPECT_THAT(read, ElementsAre(1, 2, 3));
}

TEST(PagesTest, ItWorksWithTheAlgorithmsOfRanges) {
  Source source{{1, 2, 3, 4}, {}};
  Range range = source.range();
  const auto at = std::ranges::find(range, 3);
  EXPECT_EQ(*at, 3);
}

}  // namespace
}  // namespace chimera
