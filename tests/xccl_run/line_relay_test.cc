// Goal: lines of several writers stay whole, each behind its writer's prefix, and a reader who is
// slow or gone does no harm. Method: sources that are fed in pieces, and a pipe.
#include "xccl_run/line_relay.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "base/owned_descriptor.h"

namespace xccl::run {
namespace {

class LineRelay : public testing::Test {
  protected:
    LineRelay() {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        reader_.reset(ends[0]);
        writer_.reset(ends[1]);
        std::signal(SIGPIPE, SIG_IGN);
    }
    // All that has come through so far.
    std::string read_all(LineSink* sink) {
        std::string text;
        char bytes[4096];
        for (;;) {
            sink->write_some();
            const ssize_t count = read(reader_.get(), bytes, sizeof bytes);
            if (count > 0) {
                text.append(bytes, static_cast<std::size_t>(count));
            } else if (!sink->wants_write()) {
                return text;
            }
        }
    }
    OwnedDescriptor reader_, writer_;
};

TEST_F(LineRelay, LinesStayWhole) {
    LineSink sink(writer_.get());
    LineSource a("[0] ", &sink);
    LineSource b("[1] ", &sink);
    a.take("on");
    b.take("two\nthr");
    a.take("e\n\n");
    b.take("ee");
    EXPECT_EQ(read_all(&sink), "[1] two\n[0] one\n[0] \n");
    a.finish();
    b.finish();
    b.finish();
    EXPECT_EQ(read_all(&sink), "[1] three\n");
}

TEST_F(LineRelay, VeryLongLinesAreCut) {
    LineSink sink(writer_.get());
    LineSource source("", &sink);
    source.take(std::string(65536 + 10, 'x') + "\n");
    EXPECT_TRUE(read_all(&sink) == std::string(65536, 'x') + "\n" + std::string(10, 'x') + "\n");
    source.take(std::string(65536, 'y') + "\n");
    EXPECT_TRUE(read_all(&sink) == std::string(65536, 'y') + "\n");
}

TEST_F(LineRelay, ASlowReaderIsWaitedFor) {
    LineSink sink(writer_.get());
    LineSource source("", &sink);
    std::string expected;
    for (int i = 0; !sink.is_full(); ++i) {
        const std::string line = std::to_string(i) + std::string(1000, '.') + "\n";
        source.take(line);
        expected += line;
        sink.write_some();  // until the pipe is full
    }
    EXPECT_GT(expected.size(), 1U << 20);
    EXPECT_TRUE(read_all(&sink) == expected);
    EXPECT_FALSE(sink.is_full());
    EXPECT_FALSE(sink.is_closed());
}

TEST_F(LineRelay, AReaderWhoIsGoneIsNoticed) {
    LineSink sink(writer_.get());
    LineSource source("", &sink);
    reader_.reset();
    source.take("line\n");
    EXPECT_TRUE(sink.wants_write());
    sink.write_some();
    EXPECT_TRUE(sink.is_closed());
    EXPECT_FALSE(sink.wants_write());
    source.take("more\n");
    EXPECT_FALSE(sink.wants_write());
}

}  // namespace
}  // namespace xccl::run
