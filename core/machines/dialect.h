// Dialect, how the SDK writes that began a run's history: ids, and markers of local activities. The
// official core and this one write alike; what Go and Java write is read as they read it, so that
// their runs replay. Owned by the run; lane thread.
#ifndef CHIMERA_CORE_MACHINES_DIALECT_H_
#define CHIMERA_CORE_MACHINES_DIALECT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "core/base/api.h"
#include "core/converter/codec.h"
#include "core/machines/local_marker.h"

namespace chimera::core {

inline constexpr char kGoSdk[] = "temporal-go";
inline constexpr char kJavaSdk[] = "temporal-java";
// One that does not stand on the official core.
inline bool is_foreign_sdk(const std::string& name) { return name == kGoSdk || name == kJavaSdk; }

// Java makes its ids from the run's and a counter.
class JavaIds {
 public:
  explicit JavaIds(std::string run_id) : run_id_(std::move(run_id)) {}
  // Which one of the run it is, from 0; nothing if it is not one of the first thousands behind the
  // last that was found.
  std::optional<std::uint64_t> number(const std::string& id);

 private:
  const std::string run_id_;
  std::uint64_t found_ = 0;                                  // How many there are at least.
  absl::flat_hash_map<std::string, std::uint64_t> numbers_;  // Of all below numbers_.size().
};

class Dialect {
 public:
  using Marker = api::history::v1::MarkerRecordedEventAttributes;

  // What the first task that history has completed says. `codec` as LanguageIdentity's.
  void begin(const std::string& sdk_name, const std::string& run_id,
             std::shared_ptr<const PayloadCodec> codec);
  // Its ids are not ours: they are taken from history.
  bool foreign() const { return kind_ != Kind::kCore; }
  // An id for what the code did not name: one that its first SDK does not give.
  std::string make_id(std::uint32_t seq) const;

  // The marker with all but values decoded: the Go SDK's codecs encode every detail.
  absl::StatusOr<Marker> plain(const Marker& marker) const;

  bool is_local(const Marker& marker) const;
  // Nothing if it cannot be read.
  std::optional<LocalMarker> read_local(const Marker& marker);

 private:
  enum class Kind : std::uint8_t { kCore, kGo, kJava };
  Kind kind_ = Kind::kCore;
  std::shared_ptr<const PayloadCodec> codec_;  // Shared with the language.
  std::unique_ptr<JavaIds> java_ids_;          // Null but for kJava.
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_DIALECT_H_
