#include "comm/local_exchange.h"

#include "trust/secret.h"

namespace xccl {

std::shared_ptr<LocalExchange::Table> LocalExchange::make_table(int rank_count) {
    auto table = std::make_shared<Table>();
    table->coming.resize(static_cast<std::size_t>(rank_count));
    table->secret = make_secret();
    return table;
}

// The last to arrive turns the page; the others wait for that.
Result<std::vector<std::string>> LocalExchange::all_gather(const std::string& mine,
                                                           Deadline deadline) {
    std::unique_lock lock(table_->mutex);
    table_->coming[static_cast<std::size_t>(rank_)] = mine;
    const std::uint64_t generation = table_->generation;
    if (++table_->arrived == table_->coming.size()) {
        table_->gathered = table_->coming;
        table_->arrived = 0;
        ++table_->generation;
        table_->changed.notify_all();
        return table_->gathered;
    }
    const auto turned = [&] { return table_->generation != generation; };
    if (!table_->changed.wait_until(lock, deadline.time(), turned)) {
        return timeout_error("only {} of {} ranks of this process came to the meeting in time",
                             table_->arrived, table_->coming.size());
    }
    return table_->gathered;
}

}  // namespace xccl
