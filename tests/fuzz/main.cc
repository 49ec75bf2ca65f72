// fuzz [TARGET ...] [--seconds S | --inputs N] [--seed N]   all targets if none is named
// fuzz TARGET --input FILE                                  one input again, as a crash left it
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/logging.h"
#include <fcntl.h>
#include <unistd.h>

#include "chimera/runtime.h"
#include "tests/fuzz/fuzz.h"

namespace chimera::fuzz {
namespace {

constexpr unsigned kHangSeconds = 20;  // An input that takes longer hangs, sanitizers or not.

struct Options {
  std::set<std::string> names;
  double seconds = 5;
  std::uint64_t inputs = 0;  // Instead of the seconds.
  std::uint64_t seed = 1;
  std::string input;
};

// What a signal handler needs to keep the input that led to it.
const std::string* under_way = nullptr;
char path[256];

void keep_input(int signal) {
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0 && under_way != nullptr) {
    std::size_t done = 0;
    while (done < under_way->size()) {
      const ssize_t wrote = write(file, under_way->data() + done, under_way->size() - done);
      if (wrote <= 0) break;
      done += static_cast<std::size_t>(wrote);
    }
    close(file);
  }
  const char* said = signal == SIGALRM ? "fuzz: an input hangs; it is in "
                                       : "fuzz: an input ended the program; it is in ";
  for (const char* text : {said, static_cast<const char*>(path), "\n"}) {
    if (write(2, text, std::strlen(text)) < 0) break;
  }
  std::signal(signal == SIGALRM ? SIGABRT : signal, SIG_DFL);
  if (signal == SIGALRM) std::abort();
  raise(signal);
}

// Outcomes that differ in their numbers only are alike.
std::string without_numbers(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, 300)) {
    if (c < '0' || c > '9') out += c;
  }
  return out;
}

std::string run_one(const Target& target, const std::string& input) {
  under_way = &input;
  alarm(kHangSeconds);
  std::string outcome;
  try {
    outcome = target.run(input);
  } catch (...) {
    std::fprintf(stderr, "fuzz: %s threw\n", target.name.c_str());
    std::abort();
  }
  alarm(0);
  under_way = nullptr;
  return outcome;
}

void run_target(const Target& target, const Options& options) {
  std::snprintf(path, sizeof path, "fuzz-%s.input", target.name.c_str());
  Rng rng(options.seed);
  std::vector<std::string> corpus = target.seeds;
  std::set<std::string> outcomes;
  for (const std::string& seed : target.seeds) outcomes.insert(run_one(target, seed));
  const std::size_t ways = outcomes.size();
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t inputs = 0;
  const auto over = [&] {
    if (options.inputs > 0) return inputs >= options.inputs;
    return std::chrono::steady_clock::now() - begin >
           std::chrono::duration<double>(options.seconds);
  };
  for (; !over(); ++inputs) {
    const std::string& from = corpus[below(rng, corpus.size())];
    std::string input = target.mutate && below(rng, 8) != 0
                            ? target.mutate(from, rng)
                            : mutate_bytes(from, corpus[below(rng, corpus.size())], rng);
    if (outcomes.insert(without_numbers(run_one(target, input))).second && corpus.size() < 5000)
      corpus.push_back(std::move(input));
  }
  std::printf("%s: %llu inputs, %zu outcomes beside the seeds'\n", target.name.c_str(),
              static_cast<unsigned long long>(inputs), outcomes.size() - ways);
  std::fflush(stdout);
}

int run(const Options& options) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM})
    std::signal(signal, keep_input);
  std::set<std::string> left = options.names;
  for (const Target& target : all_targets()) {
    if (!options.names.empty() && left.erase(target.name) == 0) continue;
    if (options.input.empty()) {
      run_target(target, options);
      continue;
    }
    std::ifstream file(options.input, std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), {}};
    std::puts(run_one(target, input).c_str());
  }
  for (const std::string& name : left) std::fprintf(stderr, "fuzz: no target %s\n", name.c_str());
  return left.empty() ? 0 : 2;
}

}  // namespace
}  // namespace chimera::fuzz

int main(int argc, char** argv) {
  chimera::fuzz::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    bool good = true;
    if (word == "--seconds") {
      good = absl::SimpleAtod(value, &options.seconds);
    } else if (word == "--inputs") {
      good = absl::SimpleAtoi(value, &options.inputs);
    } else if (word == "--seed") {
      good = absl::SimpleAtoi(value, &options.seed);
    } else if (word == "--input") {
      options.input = value;
    } else {
      options.names.insert(word);
      continue;
    }
    if (!good || value.empty()) {
      std::fprintf(stderr, "fuzz: %s needs a value\n", word.c_str());
      return 2;
    }
    ++i;
  }
  google::protobuf::SetLogHandler(nullptr);
  chimera::Runtime quiet({.logging = chimera::LoggingConfig{.level = chimera::LogLevel::kOff}});
  return chimera::fuzz::run(options);
}
