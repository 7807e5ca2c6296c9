// Goal: what a communicator's ranks share on one host stays small: at most 8 MiB for two ranks, at
// most 4 MiB for each of 64, whatever they do; and none of it outlives the communicator, also where
// a rank is killed.
// Method: ranks as processes go through every kind of operation, over messages from one element to
// more than all mailboxes hold, and with every peer; then the first one asks the kernel how large
// the segment's file is and how much of it there is. A segment has no name, so it is gone when no
// process has it open or mapped: a survivor looks for both in itself, and for files where they
// might lie. Covers: comm/links.cc transport/geometry.cc

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>

#include "stages.h"

namespace xccl::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMebibyte = 1 << 20;

struct Footprint {
    std::atomic<std::size_t> mapped{0};
    std::atomic<std::size_t> resident{0};
    std::atomic<int> segments{0};
};

// In memory that the ranks' processes share with the test.
class SharedFootprint {
  public:
    SharedFootprint()
        : footprint_(new (mmap(nullptr, sizeof(Footprint), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Footprint) {}
    SharedFootprint(const SharedFootprint&) = delete;
    SharedFootprint& operator=(const SharedFootprint&) = delete;
    SharedFootprint(SharedFootprint&&) = delete;
    SharedFootprint& operator=(SharedFootprint&&) = delete;
    ~SharedFootprint() { munmap(footprint_, sizeof(Footprint)); }
    Footprint& operator*() const { return *footprint_; }
    Footprint* operator->() const { return footprint_; }

  private:
    Footprint* footprint_;
};

// What the kernel says of the segments that this process has open.
void look(Footprint& footprint) {
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const std::string target = fs::read_symlink(entry.path(), gone);
        if (gone || target.find("memfd:xccl") == std::string::npos) continue;
        struct stat facts {};
        if (stat(entry.path().c_str(), &facts) != 0) continue;
        footprint.segments.fetch_add(1);
        footprint.mapped.fetch_add(static_cast<std::size_t>(facts.st_size));
        footprint.resident.fetch_add(static_cast<std::size_t>(facts.st_blocks) * 512);
    }
}

#define PASS(call)                                             \
    do {                                                       \
        if (const xcclResult_t passed = (call)) return passed; \
    } while (0)

xcclResult_t exchange_with_all(int rank, int rank_count, std::size_t count, xcclComm_t comm) {
    std::vector<float> out(count, static_cast<float>(rank)), in(count);
    for (int away = 1; away < rank_count; ++away) {
        PASS(xcclGroupStart());
        PASS(xcclSend(out.data(), count, xcclFloat32, (rank + away) % rank_count, comm, nullptr));
        PASS(xcclRecv(in.data(), count, xcclFloat32, (rank + rank_count - away) % rank_count, comm,
                      nullptr));
        PASS(xcclGroupEnd());
        if (in.back() != static_cast<float>((rank + rank_count - away) % rank_count))
            return xcclInternalError;
    }
    return xcclSuccess;
}

// Every collective with `count` elements, and with as many for each rank.
xcclResult_t everything(int rank, int rank_count, std::size_t count, xcclComm_t comm) {
    const auto all = count * static_cast<std::size_t>(rank_count);
    std::vector<float> one(count, 1), many(all, 1), got(all);
    PASS(xcclAllReduce(one.data(), got.data(), count, xcclFloat32, xcclSum, comm, nullptr));
    if (got[count - 1] != static_cast<float>(rank_count)) return xcclInternalError;
    PASS(xcclAllGather(one.data(), got.data(), count, xcclFloat32, comm, nullptr));
    PASS(xcclReduceScatter(many.data(), got.data(), count, xcclFloat32, xcclSum, comm, nullptr));
    PASS(xcclAlltoAll(many.data(), got.data(), count, xcclFloat32, comm, nullptr));
    PASS(xcclReduce(one.data(), got.data(), count, xcclFloat32, xcclSum, 0, comm, nullptr));
    PASS(xcclBcast(one.data(), count, xcclFloat32, rank_count - 1, comm, nullptr));
    PASS(xcclGather(one.data(), got.data(), count, xcclFloat32, 0, comm, nullptr));
    PASS(xcclScatter(many.data(), got.data(), count, xcclFloat32, 0, comm, nullptr));
    PASS(exchange_with_all(rank, rank_count, count, comm));
    return xcclBarrier(comm, nullptr);
}

void measure(int rank_count, std::vector<std::size_t> counts, Footprint& footprint) {
    Play play(Stage::kProcesses, rank_count, [&](int rank, xcclComm_t comm) {
        for (const std::size_t count : counts) PASS(everything(rank, rank_count, count, comm));
        if (rank == 0) look(footprint);
        return xcclBarrier(comm, nullptr);
    });
    for (const Verdict& verdict : play.verdicts(std::chrono::seconds(120)))
        ASSERT_EQ(verdict.result, xcclSuccess) << verdict.text;
    std::printf("%d ranks: %.2f MiB mapped, %.2f MiB resident\n", rank_count,
                static_cast<double>(footprint.mapped) / kMebibyte,
                static_cast<double>(footprint.resident) / kMebibyte);
    EXPECT_EQ(footprint.segments, 1);
    EXPECT_GT(footprint.resident, 0u);
    EXPECT_LE(footprint.resident, footprint.mapped + 2 * kMebibyte);  // whole huge pages
}

TEST(Memory, TwoRanksShareAtMostEightMebibytes) {
    const SharedFootprint footprint;
    measure(2, {1, 1000, 100000, 4 << 20}, *footprint);
    EXPECT_LE(footprint->mapped, 8 * kMebibyte);
    EXPECT_LE(footprint->resident, 8 * kMebibyte);
}

TEST(Memory, GrowsNoFasterThanRanks) {
    for (const int ranks : {8, 16, 64}) {
        const SharedFootprint footprint;
        measure(ranks, {1, 1000, 20000}, *footprint);
        EXPECT_LE(footprint->mapped, 4 * kMebibyte * static_cast<std::size_t>(ranks));
        EXPECT_LE(footprint->resident, 4 * kMebibyte * static_cast<std::size_t>(ranks));
    }
}

bool has_mapping() {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.find("memfd:xccl") != std::string::npos) return true;
    }
    return false;
}

bool has_file(const char* folder) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
        const std::string name = entry.path().filename();
        const bool of_this_job = name.find(std::to_string(getpid())) != std::string::npos;
        if (of_this_job && name.find("xccl") != std::string::npos) return true;
    }
    return false;
}

// Rank 0 sees a peer end, by a kill or in peace, and destroys its handle.
xcclResult_t outlive(int rank, xcclComm_t comm, bool killed) {
    PASS(everything(rank, 3, 1000, comm));
    Footprint before, after;
    look(before);
    if (rank == 0 && (before.segments != 1 || !has_mapping())) return xcclInternalError;
    PASS(xcclBarrier(comm, nullptr));
    if (killed && rank == 2) kill(getpid(), SIGKILL);
    if (killed) {
        xcclResult_t told = xcclSuccess;
        while (told == xcclSuccess) told = xcclBarrier(comm, nullptr);
        if (told != xcclRemoteError) return told;
        PASS(xcclCommDestroy(comm));
    } else {
        PASS(xcclCommFinalize(comm));
        PASS(xcclCommDestroy(comm));
    }
    look(after);
    const bool left = after.segments != 0 || has_mapping() || has_file("/dev/shm") ||
                      has_file(fs::temp_directory_path().c_str());
    return left ? xcclInternalError : xcclSuccess;
}

TEST(Memory, NothingIsLeftAfterDestroy) {
    Play play(Stage::kProcesses, 3,
              [](int rank, xcclComm_t comm) { return outlive(rank, comm, false); });
    for (const Verdict& verdict : play.verdicts()) EXPECT_EQ(verdict.result, xcclSuccess);
}

TEST(Memory, NothingIsLeftAfterAKill) {
    Play play(Stage::kProcesses, 3,
              [](int rank, xcclComm_t comm) { return outlive(rank, comm, true); });
    const auto verdicts = play.verdicts();
    EXPECT_EQ(verdicts[0].result, xcclSuccess) << verdicts[0].text;
    EXPECT_EQ(verdicts[1].result, xcclSuccess) << verdicts[1].text;
    EXPECT_EQ(verdicts[2].result, xcclNumResults);  // it was killed
}

}  // namespace
}  // namespace xccl::test
