/// Batches of a watch, and what its items say.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <variant>
#include <vector>

#include "wifidirect/sessions.h"
#include "wifidirect/v1/session_service.pb.h"

inline wifidirect::v1::WatchSessionsResponse part_of_snapshot(std::initializer_list<const char*> ids) {
    wifidirect::v1::WatchSessionsResponse batch;
    for (const char* id : ids) batch.add_snapshot()->set_session_id(id);
    return batch;
}

inline wifidirect::v1::WatchSessionsResponse snapshot_at(const std::string& cursor,
                                                         std::initializer_list<const char*> ids) {
    auto batch = part_of_snapshot(ids);
    batch.set_cursor(cursor);
    batch.set_snapshot_complete(true);
    return batch;
}

/// Without events it is a bookmark.
inline wifidirect::v1::WatchSessionsResponse events_to(const std::string& cursor,
                                                       std::initializer_list<std::uint64_t> sequences) {
    wifidirect::v1::WatchSessionsResponse batch;
    batch.set_cursor(cursor);
    for (const auto sequence : sequences) batch.add_events()->set_sequence(sequence);
    return batch;
}

struct Teller {
    std::string operator()(const wifidirect::SessionSnapshot& snapshot) const {
        std::string ids;
        for (const auto& session : snapshot.items) ids += session.session_id() + " ";
        return (ids.empty() ? "nothing " : ids) + "@" + snapshot.cursor;
    }
    std::string operator()(const wifidirect::SessionChange& change) const {
        return std::to_string(change.event.sequence()) + " @" + change.cursor;
    }
    std::string operator()(const wifidirect::Bookmark& bookmark) const { return "bookmark @" + bookmark.cursor; }
    std::string operator()(const wifidirect::Disconnected& broken) const {
        return std::string(wifidirect::code_name(broken.error.code()));
    }
};

/// What each item says, in short.
template <typename Items>
std::vector<std::string> told(const Items& items) {
    std::vector<std::string> lines;
    for (const auto& item : items) lines.push_back(std::visit(Teller{}, item));
    return lines;
}
