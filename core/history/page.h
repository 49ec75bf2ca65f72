// HistoryPage, one page of parsed history events on an arena of its own, dropped whole once applied
// and let go. Immutable after construction; shared between a run and the activations that point
// into it.
#ifndef CHIMERA_CORE_HISTORY_PAGE_H_
#define CHIMERA_CORE_HISTORY_PAGE_H_

#include <memory>
#include <string>

#include "google/protobuf/arena.h"

#include "core/base/api.h"

namespace chimera::core {

class HistoryPage {
 public:
  // Shares `owner`, in which `history` lives (a poll's reply, a history page's reply on its arena).
  HistoryPage(std::shared_ptr<const void> owner, const api::history::v1::History* history,
              std::string next_page_token)
      : owner_(std::move(owner)), history_(history), next_page_token_(std::move(next_page_token)) {}

  const api::history::v1::History& history() const { return *history_; }
  // Empty on the last page. A last page may have no events.
  const std::string& next_page_token() const { return next_page_token_; }

 private:
  std::shared_ptr<const void> owner_;
  const api::history::v1::History* history_;
  std::string next_page_token_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_HISTORY_PAGE_H_
