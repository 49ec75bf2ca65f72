#include "sdk-cpp/src/place.h"

#include <cstdlib>
#include <memory>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/mutex.h"
#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>

#ifdef CHIMERA_BACKTRACE
#include <backtrace.h>
#endif

namespace chimera::sdk {
namespace {

std::string demangled(const char* symbol) {
  int status = -1;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(symbol, nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : symbol;
}

std::string_view file_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

#ifdef CHIMERA_BACKTRACE

struct Frame {
  std::string file, function;
  int line = 0;
};

// "Order::run" of "Order::run(int) const": the line says the rest. (Of what only its own file sees,
// the debug information has "run" alone.)
std::string short_name(std::string function) {
  function = absl::StrReplaceAll(function, {{"(anonymous namespace)::", ""}});
  const std::size_t end = function.rfind(')');
  std::size_t at = end;
  for (int depth = 0; at != std::string::npos; --at) {
    depth += function[at] == ')' ? 1 : function[at] == '(' ? -1 : 0;
    if (depth == 0 || at == 0) break;
  }
  if (at != std::string::npos && at > 0) function.resize(at);
  // Of templates, what they return stands before.
  std::size_t name = 0;
  int depth = 0;
  for (std::size_t i = 0; i < function.size(); ++i) {
    depth += function[i] == '<' || function[i] == '(' ? 1 : 0;
    depth -= function[i] == '>' || function[i] == ')' ? 1 : 0;
    if (depth == 0 && function[i] == ' ' && !function.substr(0, i).ends_with("operator"))
      name = i + 1;
  }
  return function.substr(name);
}

// What the user's code was inlined into, or calls through.
bool of_headers(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view folder = slash == std::string_view::npos ? "" : path.substr(0, slash);
  return folder.ends_with("/chimera") || folder.find("/c++/") != std::string_view::npos;
}

// The innermost frame of the user's own: calls of the SDK are inlined there.
int take_frame(void* data, std::uintptr_t, const char* file, int line, const char* function) {
  auto& frame = *static_cast<Frame*>(data);
  if (file == nullptr || of_headers(file)) return 0;
  frame = {std::string(file_of(file)), function ? demangled(function) : "", line};
  return 1;
}

void ignore(void*, const char*, int) {}

// How many files have been loaded so far: of later ones a state knows nothing.
unsigned long long files_loaded() {
  unsigned long long loaded = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        *static_cast<unsigned long long*>(data) = info->dlpi_adds;
        return 1;
      },
      &loaded);
  return loaded;
}

// What was read is kept for the next report; it cannot be freed.
backtrace_state* debug_information() {
  static absl::Mutex mutex(absl::kConstInit);
  static backtrace_state* state = nullptr;
  static unsigned long long loaded = 0;
  absl::MutexLock lock(&mutex);
  if (const auto now = files_loaded(); state == nullptr || loaded != now) {
    loaded = now;
    state = backtrace_create_state(nullptr, /*threaded=*/1, &ignore, nullptr);
  }
  return state;
}

std::string line_of(std::uintptr_t address) {
  Frame frame;
  backtrace_pcinfo(debug_information(), address, &take_frame, &ignore, &frame);
  if (frame.file.empty()) return "";
  const std::string place = absl::StrCat(frame.file, ":", frame.line);
  return frame.function.empty() ? place : absl::StrCat(place, " in ", short_name(frame.function));
}

#else

std::string line_of(std::uintptr_t) { return ""; }

#endif

}  // namespace

std::string describe_frame(const void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0) return absl::StrFormat("%p", address);
  if (info.dli_sname != nullptr) return demangled(info.dli_sname);
  const std::string_view path = info.dli_fname == nullptr ? "?" : info.dli_fname;
  const auto offset = static_cast<const char*>(address) - static_cast<char*>(info.dli_fbase);
  return absl::StrFormat("%s+%#x", std::string(file_of(path)), offset);
}

std::string describe_place(std::uint64_t return_address) {
  if (return_address == 0) return "";
  const auto call = static_cast<std::uintptr_t>(return_address - 1);  // Not the line behind it.
  std::string line = line_of(call);
  return line.empty() ? describe_frame(reinterpret_cast<const void*>(call)) : line;
}

}  // namespace chimera::sdk
