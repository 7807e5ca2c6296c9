// Host streams: order, events between streams, polling, and waiting in opposite orders.
// Covers: comm/host_stream.cc comm/process.cc

#include <poll.h>

#include "world.h"

namespace xccl::test {
namespace {

constexpr std::size_t kElements = 20000;

TEST(Streams, OperationsCompleteInOrder) {
    with_ranks(3, [](int rank, xcclComm_t comm) {
        xcclStream_t stream;
        ASSERT_OK(xcclStreamCreate(&stream));
        // Each turn reduces the result of the turn before: 3^k times the first sum.
        std::vector<double> a(kElements, rank + 1.0), b(kElements);
        for (int turn = 0; turn < 4; ++turn) {
            ASSERT_OK(
                xcclAllReduce(a.data(), b.data(), kElements, xcclFloat64, xcclSum, comm, stream));
            ASSERT_OK(
                xcclAllReduce(b.data(), a.data(), kElements, xcclFloat64, xcclSum, comm, stream));
        }
        ASSERT_OK(xcclStreamSynchronize(stream));
        EXPECT_EQ(xcclStreamQuery(stream), xcclSuccess);
        double want = 6;
        for (int i = 0; i < 7; ++i) want *= 3;
        for (const double x : a) ASSERT_EQ(x, want);
        ASSERT_OK(xcclStreamDestroy(stream));
    });
}

// Rank 0 waits for stream A first, rank 1 for stream B: whoever waits must advance everything.
TEST(Streams, WaitedForInOppositeOrder) {
    with_ranks(2, [](int rank, xcclComm_t comm) {
        xcclStream_t a, b;
        ASSERT_OK(xcclStreamCreate(&a));
        ASSERT_OK(xcclStreamCreate(&b));
        xcclComm_t second;
        ASSERT_OK(xcclCommSplit(comm, 0, rank, &second, nullptr));
        std::vector<float> x(kElements, 1), y(kElements, 2);
        ASSERT_OK(xcclAllReduce(x.data(), x.data(), kElements, xcclFloat32, xcclSum, comm, a));
        ASSERT_OK(xcclAllReduce(y.data(), y.data(), kElements, xcclFloat32, xcclSum, second, b));
        ASSERT_OK(xcclStreamSynchronize(rank == 0 ? a : b));
        ASSERT_OK(xcclStreamSynchronize(rank == 0 ? b : a));
        EXPECT_EQ(x[kElements - 1], 2);
        EXPECT_EQ(y[kElements - 1], 4);
        ASSERT_OK(xcclCommDestroy(second));
        ASSERT_OK(xcclStreamDestroy(a));
        ASSERT_OK(xcclStreamDestroy(b));
    });
}

TEST(Streams, EventsOrderStreams) {
    with_ranks(2, [](int rank, xcclComm_t comm) {
        xcclStream_t first, second;
        xcclEvent_t event;
        ASSERT_OK(xcclStreamCreate(&first));
        ASSERT_OK(xcclStreamCreate(&second));
        ASSERT_OK(xcclEventCreate(&event));
        EXPECT_EQ(xcclEventQuery(event), xcclSuccess);  // never recorded: nothing to wait for
        std::vector<float> a(kElements, rank + 1), b(kElements), c(kElements);
        ASSERT_OK(xcclAllReduce(a.data(), b.data(), kElements, xcclFloat32, xcclSum, comm, first));
        ASSERT_OK(xcclEventRecord(event, first));
        ASSERT_OK(xcclStreamWaitEvent(second, event));
        ASSERT_OK(xcclAllReduce(b.data(), c.data(), kElements, xcclFloat32, xcclSum, comm, second));
        ASSERT_OK(xcclStreamSynchronize(second));
        EXPECT_EQ(xcclEventQuery(event), xcclSuccess);
        ASSERT_OK(xcclEventSynchronize(event));
        for (const float x : c) ASSERT_EQ(x, 6);
        ASSERT_OK(xcclEventDestroy(event));
        ASSERT_OK(xcclStreamDestroy(first));
        ASSERT_OK(xcclStreamDestroy(second));
    });
}

// Nobody calls into the library while the descriptor is polled: the worker makes the progress.
TEST(Streams, DescriptorTurnsReadable) {
    with_ranks(2, [](int, xcclComm_t comm) {
        xcclStream_t stream;
        ASSERT_OK(xcclStreamCreate(&stream));
        int fd = -1;
        ASSERT_OK(xcclStreamGetFd(stream, &fd));
        std::vector<float> x(kElements, 1);
        ASSERT_OK(xcclAllReduce(x.data(), x.data(), kElements, xcclFloat32, xcclSum, comm, stream));
        pollfd entry{fd, POLLIN, 0};
        ASSERT_EQ(poll(&entry, 1, 20000), 1);
        EXPECT_EQ(xcclStreamQuery(stream), xcclSuccess);
        EXPECT_EQ(x[0], 2);
        ASSERT_OK(xcclStreamDestroy(stream));
    });
}

TEST(Streams, QueryAloneMakesProgress) {
    with_ranks(4, [](int, xcclComm_t comm) {
        xcclStream_t stream;
        ASSERT_OK(xcclStreamCreate(&stream));
        std::vector<float> x(300000, 1);
        ASSERT_OK(xcclAllReduce(x.data(), x.data(), x.size(), xcclFloat32, xcclSum, comm, stream));
        while (xcclStreamQuery(stream) == xcclInProgress) {
        }
        EXPECT_EQ(x.back(), 4);
        ASSERT_OK(xcclStreamDestroy(stream));
    });
}

TEST(Streams, BlockingCallsAndStreamsMix) {
    with_ranks(2, [](int, xcclComm_t comm) {
        xcclStream_t stream;
        ASSERT_OK(xcclStreamCreate(&stream));
        std::vector<float> x(kElements, 1), y(10, 1);
        for (int i = 0; i < 20; ++i) {
            std::fill(x.begin(), x.end(), 1.0f);
            ASSERT_OK(
                xcclAllReduce(x.data(), x.data(), kElements, xcclFloat32, xcclSum, comm, stream));
            std::fill(y.begin(), y.end(), 1.0f);
            ASSERT_OK(
                xcclAllReduce(y.data(), y.data(), y.size(), xcclFloat32, xcclSum, comm, nullptr));
            ASSERT_EQ(y[0], 2);
            ASSERT_OK(xcclStreamSynchronize(stream));
            ASSERT_EQ(x[0], 2);
        }
        ASSERT_OK(xcclStreamDestroy(stream));
    });
}

TEST(Streams, ForeignHandlesAreErrors) {
    xcclStream_t stream;
    ASSERT_OK(xcclStreamCreate(&stream));
    ASSERT_OK(xcclStreamDestroy(stream));
    EXPECT_EQ(xcclStreamSynchronize(stream), xcclInvalidArgument);
    int local = 0;
    EXPECT_EQ(xcclStreamQuery(reinterpret_cast<xcclStream_t>(&local)), xcclInvalidArgument);
    EXPECT_NE(last_error().find("xcclStreamCreate"), std::string::npos);
    EXPECT_EQ(xcclEventQuery(nullptr), xcclInvalidArgument);
}

}  // namespace
}  // namespace xccl::test
