// An Exchange between threads of one process: a table and a condition variable.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bootstrap/bootstrap.h"

namespace xccl {

class LocalExchange : public Exchange {
  public:
    struct Table {
        std::mutex mutex;
        std::condition_variable changed;
        std::vector<std::string> coming, gathered;
        std::size_t arrived = 0;
        std::uint64_t generation = 0;
        std::array<std::uint8_t, 32> secret{};
    };
    static std::shared_ptr<Table> make_table(int rank_count);

    LocalExchange(std::shared_ptr<Table> table, int rank) : table_(std::move(table)), rank_(rank) {}

    int rank() const override { return rank_; }
    int rank_count() const override { return static_cast<int>(table_->coming.size()); }
    Result<std::vector<std::string>> all_gather(const std::string& mine,
                                                Deadline deadline) override;
    const std::array<std::uint8_t, 32>& secret() const override { return table_->secret; }

  private:
    std::shared_ptr<Table> table_;
    int rank_;
};

}  // namespace xccl
