#pragma once

#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wifidirect/stream.h"

namespace wifidirect {

/// A list that is asked for page by page, as it is needed.
template <typename Thing>
class Pages : public Stream<Pages<Thing>, Thing> {
  public:
    struct Page {
        std::vector<Thing> things;
        /// Empty: this is the last.
        std::string next_token;
    };
    /// Answers with the page of this token; empty: the first.
    using Ask = std::function<Page(const std::string& token)>;

    explicit Pages(Ask ask) : ask_(std::move(ask)) {}

    /// The next of them, none at the end. Throws Error; the same page is then asked for again.
    std::optional<Thing> next() {
        while (at_ == page_.things.size() && !is_last_) {
            page_ = ask_(page_.next_token);
            is_last_ = page_.next_token.empty();
            at_ = 0;
        }
        if (at_ == page_.things.size()) return std::nullopt;
        return std::move(page_.things[at_++]);
    }

  private:
    Ask ask_;
    Page page_;
    std::size_t at_ = 0;
    bool is_last_ = false;
};

}  // namespace wifidirect
