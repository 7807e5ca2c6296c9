// Goal: a line of the log says who speaks, and only what was asked for is written.
// Method: settings are read once per process, so each case is a child with its own environment.
#include "observe/log.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace xccl {
namespace {

// What a child writes to XCCL_DEBUG_FILE at this level.
std::string logged_at(const char* level) {
    const std::string path = testing::TempDir() + "xccl_log_test." + std::to_string(getpid());
    const pid_t child = fork();
    if (child == 0) {
        setenv("XCCL_DEBUG", level, 1);
        setenv("XCCL_DEBUG_FILE", path.c_str(), 1);
        log(LogLevel::kError, 3, 8, "comm", "{} died", "rank 5");
        log(LogLevel::kInfo, -1, 0, "plan", "ring");
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    std::filesystem::remove(path);
    return text.str();
}

TEST(Log, LinesSayWhoSpeaks) {
    EXPECT_EQ(logged_at("info"), "xccl 3/8 comm error: rank 5 died\nxccl plan info: ring\n");
}

TEST(Log, WhatWasNotAskedForIsNotWritten) {
    EXPECT_EQ(logged_at("warn"), "xccl 3/8 comm error: rank 5 died\n");
}

}  // namespace
}  // namespace xccl
