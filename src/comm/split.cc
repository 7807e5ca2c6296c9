// Splitting: the ranks of a communicator meet in groups, through the communicator itself.

#include <algorithm>
#include <cstring>

#include "comm/initialise.h"

namespace xccl {
namespace {

// Gathers byte strings of any length over a communicator: lengths first, then padded blocks.
Result<std::vector<std::string>> gather_bytes(Communicator& parent, const std::string& mine) {
    const auto ranks = static_cast<std::size_t>(parent.rank_count());
    const auto gather = [&](const void* send, void* recv, std::uint64_t bytes) {
        Call call;
        call.coll = xcclCollAllGather;
        call.type = xcclUint8;
        call.send = send;
        call.recv = recv;
        call.count = bytes;
        return parent.run(call);
    };
    const std::uint64_t length = mine.size();
    std::vector<std::uint64_t> lengths(ranks);
    XCCL_TRY(gather(&length, lengths.data(), sizeof length));
    const std::uint64_t longest = *std::max_element(lengths.begin(), lengths.end());
    std::string padded = mine;
    padded.resize(longest);
    std::string blocks(longest * ranks, '\0');
    if (longest > 0) XCCL_TRY(gather(padded.data(), blocks.data(), longest));
    std::vector<std::string> gathered;
    for (std::size_t r = 0; r < ranks; ++r)
        gathered.push_back(blocks.substr(r * longest, lengths[r]));
    return gathered;
}

// The members of one color meet through all-gathers in which all ranks of the parent take part, so
// every rank must come to equally many: see kMaxGathersOfInitialise.
class SplitExchange : public Exchange {
  public:
    SplitExchange(Communicator& parent, std::vector<int> members, int rank, const Secret& secret)
        : parent_(parent), members_(std::move(members)), rank_(rank), secret_(secret) {}

    int rank() const override { return rank_; }
    int rank_count() const override { return static_cast<int>(members_.size()); }
    const Secret& secret() const override { return secret_; }

    Result<std::vector<std::string>> all_gather(const std::string& mine, Deadline) override {
        ++gathers_;
        XCCL_ASSIGN(const auto all, gather_bytes(parent_, mine));
        std::vector<std::string> ours;
        for (const int member : members_) ours.push_back(all[static_cast<std::size_t>(member)]);
        return ours;
    }
    Status look() override {
        parent_.watch();
        return parent_.failure();
    }
    int gathers() const { return gathers_; }

  private:
    Communicator& parent_;
    const std::vector<int> members_;  // ranks of the parent, in the order of the child's
    const int rank_;
    const Secret secret_;
    int gathers_ = 0;
};

struct Ticketed {
    std::int32_t color;
    std::int32_t key;
    Nonce seed;  // of the secret, if this rank turns out to be the child's first
};

Result<std::vector<Ticketed>> learn_colors(Communicator& parent, int color, int key) {
    const Ticketed mine{color, key, make_nonce()};
    XCCL_ASSIGN(
        const auto gathered,
        gather_bytes(parent, std::string(reinterpret_cast<const char*>(&mine), sizeof mine)));
    std::vector<Ticketed> all(gathered.size());
    for (std::size_t r = 0; r < all.size(); ++r)
        std::memcpy(&all[r], gathered[r].data(), sizeof(Ticketed));
    return all;
}

}  // namespace

Result<SplitResult> split(Communicator& parent, int color, int key, CommunicatorOptions options,
                          const std::atomic<bool>* cancelled) {
    XCCL_ASSIGN(const auto all, learn_colors(parent, color, key));
    std::vector<int> members;
    for (int r = 0; r < parent.rank_count(); ++r) {
        if (color >= 0 && all[static_cast<std::size_t>(r)].color == color) members.push_back(r);
    }
    std::stable_sort(members.begin(), members.end(), [&](int a, int b) {
        return all[static_cast<std::size_t>(a)].key < all[static_cast<std::size_t>(b)].key;
    });
    const auto place = std::find(members.begin(), members.end(), parent.rank()) - members.begin();
    SplitResult result;
    result.rank = color >= 0 ? static_cast<int>(place) : -1;
    result.rank_count = static_cast<int>(members.size());
    Status failure;
    int gathers = 0;
    if (result.rank_count > 1) {
        // Who listens in on the parent's connections learns the seed, but not the parent's secret.
        const Nonce& seed = all[static_cast<std::size_t>(members[0])].seed;
        const Secret secret = mac_of(parent.membership().secret, "split", {seed});
        const int origin = parent.options().origin_rank;
        options.origin_rank = origin < 0 ? parent.rank() : origin;
        SplitExchange exchange(parent, members, result.rank, secret);
        auto made = initialise(exchange, std::move(options), cancelled);
        gathers = exchange.gathers();
        if (made.ok()) {
            result.communicator = std::move(made).value();
        } else {
            failure = made.status();
        }
    }
    for (; gathers < kMaxGathersOfInitialise; ++gathers) XCCL_TRY(gather_bytes(parent, {}));
    if (!failure.ok()) return failure;
    return result;
}

}  // namespace xccl
