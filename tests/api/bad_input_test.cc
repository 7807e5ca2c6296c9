// The caller's mistakes: each is one clear text that says what is wrong and what to do.
// Covers: api/boundary.cc api/memory_probe.cc api/validate.cc

#include <sys/mman.h>

#include "world.h"

namespace xccl::test {
namespace {

void expect_text(const char* part) {
    EXPECT_NE(last_error().find(part), std::string::npos) << last_error();
}

class BadInput : public testing::Test {
  protected:
    void run(const std::function<void(xcclComm_t)>& body) {
        with_ranks(2, [&](int rank, xcclComm_t comm) {
            if (rank == 0) body(comm);
        });
    }
    std::vector<float> a = std::vector<float>(64), b = std::vector<float>(64);
};

TEST_F(BadInput, Pointers) {
    run([&](xcclComm_t comm) {
        EXPECT_EQ(xcclAllReduce(nullptr, b.data(), 4, xcclFloat32, xcclSum, comm, nullptr),
                  xcclInvalidArgument);
        expect_text("sendbuff is null");
        EXPECT_EQ(xcclAllReduce(a.data(), nullptr, 4, xcclFloat32, xcclSum, comm, nullptr),
                  xcclInvalidArgument);
        expect_text("recvbuff is null");
        EXPECT_EQ(xcclAllReduce(a.data(), a.data() + 1, 4, xcclFloat32, xcclSum, comm, nullptr),
                  xcclInvalidArgument);
        expect_text("overlap");
        EXPECT_EQ(xcclAlltoAll(a.data(), a.data(), 4, xcclFloat32, comm, nullptr),
                  xcclInvalidArgument);
        expect_text("does not work in place");
        void* wild = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        EXPECT_EQ(xcclAllReduce(wild, b.data(), 4, xcclFloat32, xcclSum, comm, nullptr),
                  xcclInvalidArgument);
        expect_text("not memory");
        munmap(wild, 4096);
        void* readonly = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        EXPECT_EQ(xcclAllReduce(a.data(), readonly, 4, xcclFloat32, xcclSum, comm, nullptr),
                  xcclInvalidArgument);
        expect_text("write");
        munmap(readonly, 4096);
    });
}

// What a buffer is part of is remembered, and nothing beyond.
TEST_F(BadInput, PointersBesideGoodOnes) {
    constexpr std::size_t kPage = 4096;
    with_ranks(2, [&](int, xcclComm_t comm) {
        std::vector<float> mine(64), other(64);
        auto* const pages = static_cast<char*>(
            mmap(nullptr, 8 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        ASSERT_EQ(mprotect(pages, kPage, PROT_READ), 0);
        ASSERT_EQ(mprotect(pages + 7 * kPage, kPage, PROT_NONE), 0);
        for (int page = 1; page < 7; ++page) {
            EXPECT_EQ(xcclAllReduce(mine.data(), pages + static_cast<std::size_t>(page) * kPage, 4,
                                    xcclFloat32, xcclSum, comm, nullptr),
                      xcclSuccess);
        }
        EXPECT_EQ(xcclAllReduce(pages, other.data(), 4, xcclFloat32, xcclSum, comm, nullptr),
                  xcclSuccess);
        EXPECT_EQ(xcclAllReduce(mine.data(), pages + 16, 4, xcclFloat32, xcclSum, comm, nullptr),
                  xcclInvalidArgument);
        expect_text("write");
        EXPECT_EQ(xcclAllReduce(pages + 7 * kPage - 8, other.data(), 4, xcclFloat32, xcclSum, comm,
                                nullptr),
                  xcclInvalidArgument);
        expect_text("read");
        munmap(pages, 8 * kPage);
    });
}

TEST_F(BadInput, EnumsRootsAndCounts) {
    run([&](xcclComm_t comm) {
        const auto reduce = [&](int type, int op, int root, std::size_t count = 4) {
            return xcclReduce(a.data(), b.data(), count, static_cast<xcclDataType_t>(type),
                              static_cast<xcclRedOp_t>(op), root, comm, nullptr);
        };
        EXPECT_EQ(reduce(77, xcclSum, 0), xcclInvalidArgument);
        expect_text("datatype 77");
        EXPECT_EQ(reduce(-1, xcclSum, 0), xcclInvalidArgument);
        EXPECT_EQ(reduce(xcclFloat32, 9, 0), xcclInvalidArgument);
        expect_text("op 9");
        EXPECT_EQ(reduce(xcclFloat32, -3, 0), xcclInvalidArgument);
        EXPECT_EQ(reduce(xcclFloat32, xcclSum, 2), xcclInvalidArgument);
        expect_text("root 2");
        EXPECT_EQ(reduce(xcclFloat32, xcclSum, -1), xcclInvalidArgument);
        EXPECT_EQ(reduce(xcclFloat32, xcclSum, 0, SIZE_MAX / 2), xcclInvalidArgument);
        expect_text("address space");
        EXPECT_EQ(xcclSend(a.data(), 1, xcclFloat32, 5, comm, nullptr), xcclInvalidArgument);
        expect_text("peer 5");
    });
}

TEST_F(BadInput, Communicators) {
    int local = 0;
    EXPECT_EQ(xcclAllReduce(a.data(), b.data(), 1, xcclFloat32, xcclSum, nullptr, nullptr),
              xcclInvalidArgument);
    expect_text("comm is null");
    EXPECT_EQ(xcclCommDestroy(reinterpret_cast<xcclComm_t>(&local)), xcclInvalidArgument);
    expect_text("no communicator of this library");
    xcclComm_t comm;
    xcclUniqueId id = {};
    ASSERT_OK(xcclCommInitRank(&comm, 1, id, 0));
    ASSERT_OK(xcclCommDestroy(comm));
    EXPECT_EQ(xcclCommDestroy(comm), xcclInvalidArgument);
    xcclResult_t state;
    EXPECT_EQ(xcclCommGetAsyncError(comm, &state), xcclInvalidArgument);
    // A recycled header must not revive the old handle.
    xcclComm_t next;
    ASSERT_OK(xcclCommInitRank(&next, 1, id, 0));
    EXPECT_EQ(xcclCommDestroy(comm), xcclInvalidArgument);
    ASSERT_OK(xcclCommDestroy(next));
}

TEST_F(BadInput, Initialisation) {
    xcclComm_t comm = reinterpret_cast<xcclComm_t>(1);
    xcclUniqueId id = {};
    EXPECT_EQ(xcclCommInitRank(&comm, 0, id, 0), xcclInvalidArgument);
    expect_text("nranks 0");
    EXPECT_EQ(xcclCommInitRank(&comm, 2, id, 2), xcclInvalidArgument);
    expect_text("rank 2");
    EXPECT_EQ(xcclCommInitRank(&comm, 2, id, -1), xcclInvalidArgument);
    EXPECT_EQ(xcclCommInitRank(nullptr, 2, id, 0), xcclInvalidArgument);
    EXPECT_EQ(xcclCommInitRank(&comm, 2, id, 0), xcclInvalidArgument);  // an id of zeroes
    EXPECT_EQ(comm, reinterpret_cast<xcclComm_t>(1)) << "outputs are set only on success";
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    config.magic = 5;
    EXPECT_EQ(xcclCommInitRankConfig(&comm, 1, id, 0, &config), xcclInvalidArgument);
    expect_text("XCCL_CONFIG_INITIALIZER");
    EXPECT_EQ(xcclGetUniqueId(nullptr), xcclInvalidArgument);
}

TEST_F(BadInput, MissingPeerIsNamedAtTheDeadline) {
    xcclUniqueId id;
    ASSERT_OK(xcclGetUniqueId(&id));
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    config.initTimeoutMs = 300;
    xcclComm_t comm;
    EXPECT_EQ(xcclCommInitRankConfig(&comm, 3, id, 1, &config), xcclTimeout);
    expect_text("0");
    expect_text("2");
}

}  // namespace
}  // namespace xccl::test
