// One rank of a job that spans hosts. What it checks is named by its first argument:
//
//     wire      the planner chooses the hierarchical all-reduce unprompted, the result is right,
//     and
//               the bytes that TCP carried are those that the plan predicts
//     sweep     every collective gives the right result
//     forever   reduces until something fails; prints the failure and ends with its code
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "xccl.h"

namespace {

using nlohmann::json;

xcclLaunchInfo_t job{sizeof(xcclLaunchInfo_t), 0, 1, 0, 1, {}};
xcclComm_t comm = nullptr;

void check(xcclResult_t result) {
    if (result == xcclSuccess) return;
    std::printf("rank %d: result %d: %s\n", job.rank, result, xcclGetLastError(comm));
    (void)xcclCommDestroy(comm);
    std::exit(result);
}

void expect(bool condition, const char* what) {
    if (condition) return;
    std::printf("rank %d: not so: %s\n", job.rank, what);
    std::exit(100);
}

json ask(xcclResult_t (*question)(char*, std::size_t*)) {
    std::size_t length = 0;
    (void)question(nullptr, &length);  // says how long the answer is
    std::string text(length + 4096, '\0');
    length = text.size();
    check(question(text.data(), &length));
    return json::parse(text.c_str());
}

constexpr std::size_t kCount = 1 << 21;

json plan() {
    return ask([](char* buffer, std::size_t* length) {
        return xcclExplain(comm, xcclCollAllReduce, kCount, xcclFloat32, xcclSum, 0, buffer,
                           length);
    });
}

std::uint64_t carried_by_tcp() {
    const json dump =
        ask([](char* buffer, std::size_t* length) { return xcclCommDump(comm, buffer, length); });
    return dump.at("transports").at("tcp").at("payload_bytes_sent");
}

void wire() {
    const json explained = plan();
    std::vector<float> values(kCount, static_cast<float>(job.rank + 1));
    const std::uint64_t before = carried_by_tcp();
    check(xcclAllReduce(values.data(), values.data(), kCount, xcclFloat32, xcclSum, comm, nullptr));
    std::uint64_t carried = carried_by_tcp() - before;
    const float total = static_cast<float>(job.nranks * (job.nranks + 1) / 2);
    for (const float value : values) expect(value == total, "the sum is right");
    check(xcclAllReduce(&carried, &carried, 1, xcclUint64, xcclSum, comm, nullptr));
    const std::uint64_t predicted = explained.at("bytes_sent").at("between_hosts");
    if (job.rank == 0) {
        std::printf("algorithm %s predicted %llu carried %llu\n",
                    explained.at("algorithm").get<std::string>().c_str(),
                    static_cast<unsigned long long>(predicted),
                    static_cast<unsigned long long>(carried));
    }
    expect(explained.at("algorithm") == "hierarchical_all_reduce", "the plan is hierarchical");
    expect(carried == predicted, "the wire carries what the plan predicts");
}

void sweep() {
    const auto n = static_cast<std::size_t>(job.nranks), me = static_cast<std::size_t>(job.rank);
    for (const std::size_t count : {std::size_t{1}, std::size_t{1000}, std::size_t{70001}}) {
        std::vector<std::int32_t> blocks(n * count), got(n * count), one(count);
        for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<int>(i * (me + 1));
        check(
            xcclReduceScatter(blocks.data(), one.data(), count, xcclInt32, xcclSum, comm, nullptr));
        for (std::size_t i = 0; i < count; ++i) {
            expect(one[i] == static_cast<int>((me * count + i) * n * (n + 1) / 2),
                   "reduce-scatter");
        }
        check(xcclAllGather(one.data(), got.data(), count, xcclInt32, comm, nullptr));
        for (std::size_t i = 0; i < got.size(); ++i) {
            expect(got[i] == static_cast<int>(i * n * (n + 1) / 2), "all-gather");
        }
        check(xcclAlltoAll(blocks.data(), got.data(), count, xcclInt32, comm, nullptr));
        for (std::size_t r = 0; r < n; ++r) {
            for (std::size_t i = 0; i < count; ++i) {
                expect(got[r * count + i] == static_cast<int>((me * count + i) * (r + 1)),
                       "all-to-all");
            }
        }
        const std::size_t last = n - 1;
        check(xcclBcast(blocks.data(), blocks.size(), xcclInt32, static_cast<int>(last), comm,
                        nullptr));
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            expect(blocks[i] == static_cast<int>(i * (last + 1)), "broadcast");
        }
        const int next = static_cast<int>((me + 1) % n),
                  previous = static_cast<int>((me + n - 1) % n);
        std::vector<std::int32_t> sent(count, job.rank), received(count);
        check(xcclGroupStart());
        check(xcclSend(sent.data(), count, xcclInt32, next, comm, nullptr));
        check(xcclRecv(received.data(), count, xcclInt32, previous, comm, nullptr));
        check(xcclGroupEnd());
        for (const auto value : received) expect(value == previous, "send and receive");
    }
    check(xcclBarrier(comm, nullptr));
}

void forever() {
    std::vector<float> values(100000, 1);
    check(xcclBarrier(comm, nullptr));
    std::puts("going");
    std::fflush(stdout);
    for (;;) {
        check(xcclAllReduce(values.data(), values.data(), values.size(), xcclFloat32, xcclMax, comm,
                            nullptr));
        check(xcclAllReduce(values.data(), values.data(), 2, xcclFloat32, xcclMax, comm, nullptr));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    xcclUniqueId id;
    check(xcclGetLaunchInfo(&job));
    check(xcclGetJobUniqueId(&id));
    check(xcclCommInitRank(&comm, job.nranks, id, job.rank));
    if (mode == "wire") wire();
    if (mode == "sweep") sweep();
    if (mode == "forever") forever();
    check(xcclCommFinalize(comm));
    check(xcclCommDestroy(comm));
    return 0;
}
