// Goal: the first communicator on a machine measures it and leaves a file, later processes read
// that, all ranks plan with the same numbers and say where these come from, and whoever does not
// want it gets none of it. Method: this program starts itself again, with an environment of its
// own.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "api/world.h"

namespace xccl::test {
namespace {

namespace fs = std::filesystem;

std::string explained(xcclComm_t comm) {
    std::string text(1 << 16, '\0');
    size_t length = text.size();
    EXPECT_OK(
        xcclExplain(comm, xcclCollAllReduce, 4096, xcclFloat32, xcclSum, 0, text.data(), &length));
    text.resize(length - 1);
    return text;
}

// The rest of the line that says where the costs come from: `"measured now",`
std::string origin_in(const std::string& report) {
    const std::string key = "\"costs\": ";
    const std::size_t start = report.find(key);
    if (start == std::string::npos) return "";
    return report.substr(start + key.size(), report.find('\n', start) - start - key.size());
}

// What a process with ranks of its own would do; the other tests start it.
TEST(FirstUse, AProcess) {
    const char* answer = std::getenv("XCCL_TESTS_FIRST_USE");
    if (answer == nullptr) GTEST_SKIP() << "is started by the other tests";
    std::vector<std::string> reports(4);
    with_ranks(4, [&](int rank, xcclComm_t comm) {
        reports[static_cast<std::size_t>(rank)] = explained(comm);
        float value = 1;
        EXPECT_OK(xcclAllReduce(&value, &value, 1, xcclFloat32, xcclSum, comm, nullptr));
        EXPECT_EQ(value, 4);
    });
    std::set<std::string> origins;
    for (const std::string& report : reports) origins.insert(origin_in(report));
    ASSERT_EQ(origins.size(), 1u);
    std::ofstream(answer) << *origins.begin();
}

class FirstUseOf : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "xccl-first-use-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        home_ = name;
    }
    void TearDown() override { fs::remove_all(home_); }

    std::string command(const std::string& environment, int number) const {
        const std::string program = fs::read_symlink("/proc/self/exe");
        return "env " + environment + " XCCL_TESTS_FIRST_USE=" + answer(number) + " " + program +
               " --gtest_filter=FirstUse.AProcess >" + home_ + "/log 2>&1";
    }
    std::string with_cache() const { return "XCCL_MEASURE=1 XDG_CACHE_HOME=" + home_ + "/cache"; }
    std::string answer(int number) const { return home_ + "/answer" + std::to_string(number); }
    std::string answered(int number) const {
        std::ifstream file(answer(number));
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string origin_with(const std::string& environment) {
        EXPECT_EQ(std::system(command(environment, ++processes_).c_str()), 0) << environment;
        return answered(processes_);
    }
    int kept_files() const {
        int count = 0;
        std::error_code none;
        for (const auto& entry : fs::directory_iterator(home_ + "/cache/xccl", none)) {
            count += entry.path().extension() == ".json";
        }
        return count;
    }

    std::string home_;
    int processes_ = 0;
};

TEST_F(FirstUseOf, AMachineIsMeasuredOnce) {
    EXPECT_EQ(origin_with(with_cache()), "\"measured now\",");
    EXPECT_EQ(kept_files(), 1);
    EXPECT_EQ(origin_with(with_cache()), "\"read from file\",");
}

TEST_F(FirstUseOf, NothingIsTouchedIfItIsNotWanted) {
    EXPECT_EQ(origin_with("XCCL_MEASURE=0 XDG_CACHE_HOME=" + home_ + "/cache"), "\"built in\",");
    EXPECT_FALSE(fs::exists(home_ + "/cache"));
}

TEST_F(FirstUseOf, WithoutAFolderNothingIsMeasured) {
    EXPECT_EQ(origin_with("-u HOME -u XDG_CACHE_HOME XCCL_MEASURE=1"), "\"built in\",");
    std::ofstream(home_ + "/cache") << "a file in the way";
    EXPECT_EQ(origin_with(with_cache()), "\"built in\",");
}

TEST_F(FirstUseOf, ManyProcessesMayStartAtOnce) {
    std::string together;
    for (int number = 1; number <= 4; ++number) {
        together += "(" + command(with_cache(), number) + ") & ";
    }
    EXPECT_EQ(std::system((together + "wait").c_str()), 0);
    int own = 0;
    for (int number = 1; number <= 4; ++number) {
        EXPECT_NE(answered(number), "") << number;
        own += answered(number) == "\"measured now\",";
    }
    EXPECT_EQ(own, 1);
    EXPECT_EQ(kept_files(), 1);
}

}  // namespace
}  // namespace xccl::test
