// Runs the C++ of docs/storage.md, which the build writes into one file.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing.h"
#include "storage_example.h"
#include "tests/support/temporary_folder.h"

namespace chimera {
namespace {

class StorageExample : public testing::Test {
 protected:
  void makes_a_book(const ExternalStorage& storage) {
    ClientOptions options = options_with(storage);
    options.target_host = ClientOptions().target_host;
    TestEnvironment env({.client = options});
    Worker worker(env.client(), {.task_queue = "books"});
    worker.add(kBook).add_activity<&render>();
    worker.start();
    const auto handle =
        env.client().start_workflow<kBook>({.id = "book", .task_queue = "books"}, "page");
    EXPECT_EQ(handle.result(), (std::size_t{3} << 20) + 4);
    const std::string history = handle.fetch_history();
    EXPECT_LT(history.size(), 20'000u);
    replay(history, storage);
    worker.shutdown();
    worker.wait();
  }
  const support::TemporaryFolder made_;
  const std::string folder_ = made_.path().string();
};

TEST_F(StorageExample, AFolderKeepsWhatIsLarge) { makes_a_book(storage_in(folder_)); }
TEST_F(StorageExample, SoDoesABucket) { makes_a_book(storage_in_bucket(folder_)); }

}  // namespace
}  // namespace chimera
