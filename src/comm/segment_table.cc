#include "comm/segment_table.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

namespace xccl {
namespace {

struct Entry {
    std::optional<Result<std::shared_ptr<Segment>>> result;
    int taken = 0;
};

struct Table {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, Entry> entries;
};

Table& table() {
    static Table* const instance = new Table;  // leaked: may be used until the process ends
    return *instance;
}

}  // namespace

Result<std::shared_ptr<Segment>> share_segment(
    const std::string& key, int users, bool maker,
    const std::function<Result<std::shared_ptr<Segment>>()>& make, Deadline deadline) {
    if (users == 1) return make();
    std::unique_lock lock(table().mutex, std::defer_lock);
    if (maker) {
        auto made = make();
        lock.lock();
        table().entries[key].result = std::move(made);
        table().changed.notify_all();
    } else {
        lock.lock();
    }
    Entry& entry = table().entries[key];
    if (!table().changed.wait_until(lock, deadline.time(),
                                    [&] { return entry.result.has_value(); })) {
        return timeout_error(
            "the rank of this process that maps the shared memory did not finish in time");
    }
    auto result = *entry.result;
    if (++entry.taken == users) table().entries.erase(key);
    return result;
}

}  // namespace xccl
