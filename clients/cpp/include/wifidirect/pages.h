#pragma once

#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wifidirect/stream.h"

namespace wifidirect {

/// A list that is fetched page by page as it is read.
template <typename Thing>
class Pages : public Stream<Pages<Thing>, Thing> {
  public:
    struct Page {
        std::vector<Thing> things;
        /// Empty on the last page.
        std::string next_token;
    };
    /// Fetches the page of a token. The token of the first page is empty.
    using Ask = std::function<Page(const std::string& token)>;

    explicit Pages(Ask ask) : ask_(std::move(ask)) {}

    /// Returns the next item, empty at the end. After an Error, the next call fetches the same page
    /// again.
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
