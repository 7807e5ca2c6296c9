// n ranks as threads of this process, each with its own communicator: the stage of the API tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "xccl.h"

namespace xccl::test {

#define EXPECT_OK(call) EXPECT_EQ((call), xcclSuccess) << xcclGetLastError(nullptr)
#define ASSERT_OK(call) ASSERT_EQ((call), xcclSuccess) << xcclGetLastError(nullptr)

// Makes n communicators, runs body(rank, comm) on n threads, and destroys them.
inline void with_ranks(int rank_count, const std::function<void(int, xcclComm_t)>& body) {
    std::vector<xcclComm_t> comms(rank_count);
    ASSERT_OK(xcclCommInitAll(comms.data(), rank_count, nullptr));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < rank_count; ++rank) {
        threads.emplace_back([&, rank] { body(rank, comms[rank]); });
    }
    for (auto& thread : threads) thread.join();
    for (auto comm : comms) EXPECT_OK(xcclCommDestroy(comm));
}

// Input element i of rank r: small whole numbers, so that sums are exact in every order.
template <typename T>
T element(int rank, std::size_t i) {
    return static_cast<T>((i * 7 + static_cast<std::size_t>(rank) * 3) % 11);
}

template <typename T>
std::vector<T> elements(int rank, std::size_t count) {
    std::vector<T> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = element<T>(rank, i);
    return values;
}

inline std::string last_error(xcclComm_t comm = nullptr) {
    return xcclGetLastError(comm);
}

}  // namespace xccl::test
