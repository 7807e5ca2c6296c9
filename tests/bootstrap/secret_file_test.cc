// Goal: a secret is taken from a file only if nobody else can know it. Method: files with every
// kind of fault.
#include "bootstrap/secret_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

namespace xccl {
namespace {

class SecretFile : public testing::Test {
  protected:
    SecretFile() {
        char name[] = "/tmp/xccl-secret-XXXXXX";
        folder_ = mkdtemp(name);
        path_ = folder_ + "/secret";
    }
    ~SecretFile() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& text, mode_t mode = 0600) {
        std::FILE* const file = std::fopen(path_.c_str(), "w");
        ASSERT_NE(file, nullptr);
        std::fwrite(text.data(), 1, text.size(), file);
        std::fclose(file);
        ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    }
    std::string refusal() {
        const auto secret = read_secret_file(path_);
        EXPECT_EQ(secret.status().code(), xcclInvalidUsage);
        EXPECT_NE(secret.status().text().find(path_), std::string::npos);
        return secret.status().text();
    }
    bool refused(const char* why) { return refusal().find(why) != std::string::npos; }

    std::string folder_, path_;
};

constexpr const char* kText = "sixteen bytes it is";

TEST_F(SecretFile, IsTheTextWithoutTheLineEnd) {
    for (const mode_t mode : {0600, 0400}) {
        write(std::string(kText) + "\r\n\n", mode);
        const auto secret = read_secret_file(path_);
        ASSERT_TRUE(secret.ok()) << secret.status().text();
        EXPECT_EQ(*secret, secret_from_text(kText));
    }
}

TEST_F(SecretFile, OthersMustNotReadIt) {
    for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601, 0666}) {
        write(kText, mode);
        EXPECT_TRUE(refused("chmod 600")) << mode;
    }
}

TEST_F(SecretFile, MustHoldEnough) {
    for (const std::string& text : {std::string(), std::string("\n\n"), std::string("short \n"),
                                    std::string(15, 'x') + "\n\n\n\n\n", std::string(5000, 'x')}) {
        write(text);
        EXPECT_TRUE(refused("16 to 4096 bytes"));
    }
}

TEST_F(SecretFile, MustBeAFile) {
    EXPECT_TRUE(refused("No such file"));
    ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
    EXPECT_TRUE(refused("not a regular file"));
    ASSERT_EQ(unlink(path_.c_str()), 0);
    ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
    EXPECT_TRUE(refused("not a regular file"));
}

TEST_F(SecretFile, MustBelongToThisUser) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to give a file away";
    write(kText);
    ASSERT_EQ(chown(path_.c_str(), 65533, 65533), 0);
    EXPECT_TRUE(refused("belongs to user 65533"));
}

}  // namespace
}  // namespace xccl
