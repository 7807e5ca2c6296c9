// Goal: a file is there when it is complete, and nothing is there otherwise.
#include "report/output_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include "program/failure.h"

namespace xccl::trainer {
namespace {

bool exists(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
}

std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

class OutputFileTest : public testing::Test {
  protected:
    OutputFileTest() {
        std::string pattern = testing::TempDir() + "xccl_trainer_XXXXXX";
        folder_ = mkdtemp(pattern.data());
    }
    ~OutputFileTest() override {
        unlink(path().c_str());
        EXPECT_EQ(rmdir(folder_.c_str()), 0) << "something was left behind in " << folder_;
    }
    std::string path() const { return folder_ + "/out.html"; }
    std::string part() const { return path() + ".part"; }

    std::string folder_;
};

template <typename Action>
std::string refusal_of(const Action& action) {
    try {
        action();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.code(), kOutputFailed);
        return failure.what();
    }
    return {};
}

TEST_F(OutputFileTest, AppearsWhenComplete) {
    OutputFile file("report", path(), 1 << 16);
    file.write("hello ");
    file.write("world\n");
    EXPECT_TRUE(exists(part()));
    EXPECT_FALSE(exists(path()));
    file.commit();
    EXPECT_FALSE(exists(part()));
    EXPECT_EQ(content(path()), "hello world\n");  // not as long as what was reserved
}

TEST_F(OutputFileTest, IsGoneWhenGivenUp) {
    { OutputFile("report", path(), 1 << 16).write("half"); }
    EXPECT_FALSE(exists(part()));
    EXPECT_FALSE(exists(path()));
}

TEST_F(OutputFileTest, TheFormerFileStaysUntilThen) {
    std::ofstream(path()) << "former";
    { OutputFile("report", path(), 0).write("half"); }
    EXPECT_EQ(content(path()), "former");
    OutputFile file("report", path(), 0);
    file.write("latter");
    file.commit();
    EXPECT_EQ(content(path()), "latter");
}

TEST_F(OutputFileTest, ReadersSeeWhatIsWritten) {
    OutputFile file("metrics", path(), 0);
    file.write("line 1\n");
    EXPECT_EQ(content(part()), "line 1\n");
}

TEST_F(OutputFileTest, SaysWhatIsWrong) {
    const std::string missing = refusal_of([] { OutputFile("report", "/nowhere/r.html", 0); });
    EXPECT_NE(missing.find("/nowhere/r.html: No such file"), std::string::npos) << missing;
    EXPECT_NE(missing.find("--report"), std::string::npos) << missing;
    const std::string folder = refusal_of([this] { OutputFile("metrics", folder_, 0); });
    EXPECT_NE(folder.find("Is a directory"), std::string::npos) << folder;
}

TEST_F(OutputFileTest, AFullDeviceIsNoticed) {
    const std::string message =
        refusal_of([] { OutputFile("metrics", "/dev/full", 100).write("x"); });
    EXPECT_NE(message.find("No space left"), std::string::npos) << message;
    EXPECT_NE(message.find("Free some space"), std::string::npos) << message;
}

// A limit stands for a full disk: making one needs root.
TEST_F(OutputFileTest, NoRoomIsFoundBeforeTheFirstByte) {
    const auto former_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit former{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &former), 0);
    const rlimit small{.rlim_cur = 4096, .rlim_max = former.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const std::string message = refusal_of([this] { OutputFile("report", path(), 1 << 16); });
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &former), 0);
    std::signal(SIGXFSZ, former_handler);
    EXPECT_NE(message.find("cannot reserve room for the report"), std::string::npos) << message;
    EXPECT_FALSE(exists(part()));
}

}  // namespace
}  // namespace xccl::trainer
