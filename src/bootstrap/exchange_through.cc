// exchange_through(): an exchange on top of an all-gather that the caller brings.
//
// The caller's gathers blocks of one size, ours strings of different ones: sizes first, then the
// strings, padded to the longest.
#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"
#include "bootstrap/bootstrap.h"
#include "trust/secret.h"

namespace xccl {
namespace {

class CallersExchange : public Exchange {
  public:
    CallersExchange(xcclAllGatherFn_t all_gather, void* context, int rank, int rank_count)
        : all_gather_(all_gather), context_(context), rank_(rank), rank_count_(rank_count) {}

    Status agree_on_secret();
    int rank() const override { return rank_; }
    int rank_count() const override { return rank_count_; }
    Result<std::vector<std::string>> all_gather(const std::string& mine, Deadline) override;
    const std::array<std::uint8_t, 32>& secret() const override { return secret_; }

  private:
    Result<std::vector<std::string>> gather(const std::string& mine);
    Result<std::string> gather_blocks(const std::string& mine);

    const xcclAllGatherFn_t all_gather_;
    void* const context_;
    const int rank_, rank_count_;
    Secret secret_{};
    Status failure_;  // the first; final
};

Result<std::string> CallersExchange::gather_blocks(const std::string& mine) {
    std::string all(mine.size() * static_cast<std::size_t>(rank_count_), '\0');
    const int result = all_gather_(context_, mine.data(), all.data(), mine.size());
    if (result != 0) {
        return remote_error("the all-gather that was handed in failed with {}; see its own error",
                            result);
    }
    if (all.compare(static_cast<std::size_t>(rank_) * mine.size(), mine.size(), mine) != 0) {
        return invalid_usage(
            "the all-gather that was handed in does not give rank {} its own bytes back; it must "
            "fill recv with [nranks][bytes], in rank order",
            rank_);
    }
    return all;
}

Status CallersExchange::agree_on_secret() {
    const Secret mine = make_secret();
    XCCL_ASSIGN(const std::string all,
                gather_blocks({reinterpret_cast<const char*>(mine.data()), mine.size()}));
    all.copy(reinterpret_cast<char*>(secret_.data()), secret_.size());
    return ok_status();
}

Result<std::vector<std::string>> CallersExchange::all_gather(const std::string& mine, Deadline) {
    XCCL_TRY(failure_);
    auto parts = gather(mine);
    failure_ = parts.status();
    return parts;
}

Result<std::vector<std::string>> CallersExchange::gather(const std::string& mine) {
    if (mine.size() > kMaxGatherBytes) {
        return internal_error("{} bytes to exchange; at most {} are allowed", mine.size(),
                              kMaxGatherBytes);
    }
    const std::uint64_t size = mine.size();
    XCCL_ASSIGN(const std::string sizes, gather_blocks(ByteWriter().put(size).take()));
    std::vector<std::uint64_t> lengths;
    for (ByteReader reader(sizes); !reader.complete();) {
        lengths.push_back(reader.get<std::uint64_t>());
    }
    const std::uint64_t longest = *std::max_element(lengths.begin(), lengths.end());
    if (longest > kMaxGatherBytes) {
        return remote_error("a rank brings {} bytes; at most {} are allowed", longest,
                            kMaxGatherBytes);
    }
    std::vector<std::string> parts(lengths.size());
    if (longest == 0) return parts;
    std::string padded = mine;
    padded.resize(longest, '\0');
    XCCL_ASSIGN(const std::string blocks, gather_blocks(padded));
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i] = blocks.substr(i * longest, lengths[i]);
    }
    return parts;
}

}  // namespace

Result<std::unique_ptr<Exchange>> exchange_through(xcclAllGatherFn_t all_gather, void* context,
                                                   int rank, int rank_count) {
    if (all_gather == nullptr) return invalid_argument("the all-gather is null");
    if (rank_count < 1 || rank_count > kMaxRanks || rank < 0 || rank >= rank_count) {
        return invalid_argument("rank {} is outside [0, {}), or there are more than {} ranks", rank,
                                rank_count, kMaxRanks);
    }
    auto exchange = std::make_unique<CallersExchange>(all_gather, context, rank, rank_count);
    XCCL_TRY(exchange->agree_on_secret());
    return std::unique_ptr<Exchange>(std::move(exchange));
}

}  // namespace xccl
