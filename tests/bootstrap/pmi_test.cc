// Goal: processes get rank 0's values from launchers that speak either version of PMI; a launcher
// that fails, falls silent or talks nonsense becomes a clear error. Method: a false launcher, one
// thread that serves all ranks over socket pairs. Real launchers: tests/launch/.
#include "bootstrap/pmi.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "base/owned_descriptor.h"
#include "ranks.h"

namespace xccl {
namespace {

// Serves one job until all its processes have said goodbye or gone.
class FalseLauncher {
  public:
    // Replies in place of the launcher's; empty: the launcher's own.
    using Spoil = std::function<std::string(int rank, const PmiMessage& request)>;

    FalseLauncher(PmiVersion version, int size, Spoil spoil = nullptr)
        : version_(version), spoil_(std::move(spoil)) {
        for (int rank = 0; rank < size; ++rank) {
            int ends[2];
            EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
            clients_.emplace_back();
            clients_.back().socket.reset(ends[0]);
            theirs_.emplace_back(ends[1]);
        }
        thread_ = std::thread([this] { serve(); });
    }
    ~FalseLauncher() {
        theirs_.clear();
        thread_.join();
    }

    Pmi::Setting setting(int rank) const {
        return {theirs_[rank].get(), rank, version_ == PmiVersion::kTwo ? "7.0" : "", false};
    }
    int goodbyes() const { return goodbyes_; }

  private:
    struct Client {
        OwnedDescriptor socket;
        std::string received;
        PmiVersion version = PmiVersion::kOne;  // every version begins with the first
    };

    void serve() {
        std::size_t open = clients_.size();
        while (open > 0) {
            std::vector<pollfd> items;
            for (const Client& client : clients_) {
                items.push_back({client.socket ? client.socket.get() : -1, POLLIN, 0});
            }
            poll(items.data(), items.size(), -1);
            for (std::size_t rank = 0; rank < items.size(); ++rank) {
                if (items[rank].revents != 0 && !hear(static_cast<int>(rank))) --open;
            }
        }
    }

    bool hear(int rank) {
        Client& client = clients_[rank];
        char bytes[512];
        const ssize_t count = recv(client.socket.get(), bytes, sizeof bytes, 0);
        if (count <= 0) {
            client.socket.reset();
            return false;
        }
        client.received.append(bytes, static_cast<std::size_t>(count));
        for (;;) {
            const auto request = take_message(client.version, &client.received);
            EXPECT_TRUE(request.ok());
            if (!request.ok() || !request->has_value()) return true;
            const std::string spoilt = spoil_ ? spoil_(rank, **request) : "";
            if (spoilt.empty()) {
                answer(rank, **request);
            } else {
                send_slowly(rank, spoilt);
            }
        }
    }

    void answer(int rank, const PmiMessage& request) {
        const std::string& command = request.command;
        const bool two = version_ == PmiVersion::kTwo;
        if (command == "init") {
            EXPECT_EQ(request.number("pmi_version"), two ? 2 : 1);
            reply(rank, {"response_to_init", {{"pmi_version", two ? "2" : "1"}, {"rc", "0"}}});
            clients_[rank].version = version_;
        } else if (command == "fullinit") {
            EXPECT_EQ(*request.find("pmijobid"), "7.0");
            EXPECT_EQ(request.number("pmirank"), rank);
            reply(rank, {"fullinit-response", {{"rc", "0"}}});
        } else if (command == "get_my_kvsname") {
            reply(rank, {"my_kvsname", {{"kvsname", "kvs_7"}}});
        } else if (command == "put" || command == "kvs-put") {
            EXPECT_TRUE(two || *request.find("kvsname") == "kvs_7");
            store_[*request.find("key")] = *request.find("value");
            reply(rank, {two ? "kvs-put-response" : "put_result", {{"rc", "0"}}});
        } else if (command == "barrier_in" || command == "kvs-fence") {
            if (++waiting_ < clients_.size()) return;
            waiting_ = 0;
            for (std::size_t one = 0; one < clients_.size(); ++one) {
                reply(static_cast<int>(one), {two ? "kvs-fence-response" : "barrier_out", {}});
            }
        } else if (command == "get" || command == "kvs-get") {
            const auto found = store_.find(*request.find("key"));
            PmiMessage got{two ? "kvs-get-response" : "get_result", {{"rc", "0"}}};
            if (found != store_.end()) got.fields.emplace_back("value", found->second);
            reply(rank, got);
        } else if (command == "finalize") {
            ++goodbyes_;
            reply(rank, {two ? "finalize-response" : "finalize_ack", {{"rc", "0"}}});
        } else {
            ADD_FAILURE() << "unknown command " << command;
        }
    }

    void reply(int rank, const PmiMessage& message) {
        send_slowly(rank, encode(clients_[rank].version, message));
    }
    void send_slowly(int rank, const std::string& bytes) {
        for (const char c : bytes) {  // in the smallest pieces
            send(clients_[rank].socket.get(), &c, 1, MSG_NOSIGNAL);
        }
    }

    const PmiVersion version_;
    const Spoil spoil_;
    std::vector<Client> clients_;
    std::vector<OwnedDescriptor> theirs_;
    std::map<std::string, std::string> store_;
    std::size_t waiting_ = 0;
    std::atomic<int> goodbyes_ = 0;
    std::thread thread_;
};

class PmiOfVersion : public testing::TestWithParam<PmiVersion> {};
INSTANTIATE_TEST_SUITE_P(Versions, PmiOfVersion,
                         testing::Values(PmiVersion::kOne, PmiVersion::kTwo));

TEST_P(PmiOfVersion, AllGetTheValuesOfRank0) {
    constexpr int kSize = 5;
    FalseLauncher launcher(GetParam(), kSize);
    std::vector<std::thread> processes;
    for (int rank = 0; rank < kSize; ++rank) {
        processes.emplace_back([&, rank] {
            const auto pmi = Pmi::open(launcher.setting(rank), soon());
            ASSERT_TRUE(pmi.ok()) << pmi.status().text();
            for (int i = 0; i < 3; ++i) {
                const std::string key = fmt::format("key-{}", i);
                const std::string value = std::string(400, static_cast<char>('a' + i));
                const auto found =
                    (*pmi)->from_rank_0(key, rank == 0 ? value : "no matter", soon());
                ASSERT_TRUE(found.ok()) << found.status().text();
                EXPECT_EQ(*found, value);
            }
            EXPECT_TRUE((*pmi)->say_goodbye(soon()).ok());
        });
    }
    for (std::thread& process : processes) process.join();
    EXPECT_EQ(launcher.goodbyes(), kSize);
}

// What a process alone in its job is told when the launcher answers `command` with `answer`.
std::string told(PmiVersion version, const std::string& command, const std::string& answer,
                 int patience_ms = 10000) {
    FalseLauncher launcher(version, 1, [&](int, const PmiMessage& request) {
        return request.command == command ? answer : "";
    });
    const Deadline deadline = Deadline::after_ms(patience_ms);
    const auto pmi = Pmi::open(launcher.setting(0), deadline);
    if (!pmi.ok()) return pmi.status().text();
    const auto found = (*pmi)->from_rank_0("key", "value", deadline);
    if (found.ok()) return *found;
    // Whatever comes later cannot be told from what is missing.
    const auto again = (*pmi)->from_rank_0("key", "value", soon());
    return found.status().text() + " / " + (again.ok() ? *again : again.status().text());
}

TEST(Pmi, FailuresAreTold) {
    const std::string broken = " / an earlier request to the launcher's PMI failed";
    EXPECT_EQ(told(PmiVersion::kOne, "put", "cmd=put_result rc=-1 msg=full\n"),
              "the launcher's PMI answered put_result with code -1: full / the launcher's PMI "
              "answered put_result with code -1: full");
    EXPECT_EQ(told(PmiVersion::kTwo, "kvs-fence",
                   encode(PmiVersion::kTwo, {"kvs-fence-response", {{"rc", "14"}, {"msg", "a"}}})),
              "the launcher's PMI answered kvs-fence-response with code 14: a / the launcher's PMI "
              "answered kvs-fence-response with code 14: a");
    EXPECT_EQ(told(PmiVersion::kOne, "barrier_in", "cmd=put_result rc=0\n"),
              "the launcher's PMI answered barrier_in with put_result" + broken);
    EXPECT_EQ(told(PmiVersion::kOne, "get", "cmd=get_result rc=0\n"),
              "the launcher's PMI has no value for key / the launcher's PMI has no value for key");
    EXPECT_EQ(told(PmiVersion::kOne, "get_my_kvsname", "cmd=my_kvsname\n"),
              "the launcher's PMI has no key-value space");
    EXPECT_EQ(told(PmiVersion::kTwo, "kvs-get", "nonsense"),
              "the launcher's PMI sent no length" + broken);
    EXPECT_EQ(told(PmiVersion::kOne, "init", "cmd=response_to_init rc=-1\n"),
              "the launcher's PMI answered response_to_init with code -1");
}

TEST(Pmi, SilenceEnds) {
    EXPECT_EQ(told(PmiVersion::kOne, "barrier_in", "cmd=barrier", 50),
              "not all processes of the job came to PMI's barrier in time / an earlier request to "
              "the launcher's PMI failed");
}

TEST(Pmi, AClosedConnectionIsTold) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    OwnedDescriptor mine(ends[0]);
    OwnedDescriptor launchers(ends[1]);
    shutdown(launchers.get(), SHUT_WR);
    EXPECT_EQ(Pmi::open({mine.get(), 0, "", false}, soon()).status().text(),
              "the launcher closed the PMI connection");
    launchers.reset();
    EXPECT_EQ(Pmi::open({mine.get(), 0, "", false}, soon()).status().code(), xcclSystemError);
}

TEST(Pmi, BesideAnMpiLibraryItNeitherIntroducesNorLeaves) {
    FalseLauncher launcher(PmiVersion::kOne, 1, [](int, const PmiMessage& request) {
        EXPECT_NE(request.command, "init");
        EXPECT_NE(request.command, "finalize");
        return "";
    });
    Pmi::Setting setting = launcher.setting(0);
    setting.shared = true;
    const auto pmi = Pmi::open(setting, soon());
    ASSERT_TRUE(pmi.ok()) << pmi.status().text();
    EXPECT_EQ(*(*pmi)->from_rank_0("key", "value", soon()), "value");
    EXPECT_TRUE((*pmi)->say_goodbye(soon()).ok());
}

// ---- The connection of a process, each in one of its own ------------------------------------

template <typename Body>
void expect_exit_code(int code, Body body) {
    EXPECT_EXIT(body(), testing::ExitedWithCode(code), "");
}

TEST(PmiOfThisProcess, GoodbyeAtTheEnd) {
    expect_exit_code(0, [] {
        // The launcher's thread outlives main()'s end here; the child's exit code is its verdict.
        static FalseLauncher* launcher;
        launcher = new FalseLauncher(PmiVersion::kOne, 1);
        const int socket = launcher->setting(0).socket;
        std::atexit([] { _exit(launcher->goodbyes() == 1 ? 0 : 1); });  // after ours
        setenv("PMI_FD", std::to_string(socket).c_str(), 1);
        setenv("PMI_RANK", "0", 1);
        setenv("PMI_SIZE", "1", 1);
        unsetenv("PMI_JOBID");
        Pmi* const pmi = Pmi::of_this_process(soon());
        if (pmi == nullptr || pmi != Pmi::of_this_process(soon())) _exit(2);
        if ((fcntl(socket, F_GETFD) & FD_CLOEXEC) == 0) _exit(3);
        std::exit(4);
    });
}

TEST(PmiOfThisProcess, NothingIsSaidToAnotherFileOfThatNumber) {
    expect_exit_code(0, [] {
        static auto* const launcher = new FalseLauncher(PmiVersion::kOne, 1);
        const int socket = launcher->setting(0).socket;
        setenv("PMI_FD", std::to_string(socket).c_str(), 1);
        setenv("PMI_RANK", "0", 1);
        unsetenv("PMI_JOBID");
        if (Pmi::of_this_process(soon()) == nullptr) _exit(2);
        static int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) _exit(3);
        dup2(ends[0], socket);
        if (Pmi::of_this_process(soon()) != nullptr) _exit(4);
        const auto quiet = [] {
            char byte = 0;
            return recv(ends[1], &byte, 1, MSG_DONTWAIT) < 0;
        };
        if (!quiet()) _exit(5);
        std::exit(0);
    });
}

TEST(PmiOfThisProcess, NotThere) {
    expect_exit_code(0, [] {
        unsetenv("PMI_FD");
        _exit(Pmi::of_this_process(soon()) == nullptr ? 0 : 1);
    });
    expect_exit_code(0, [] {
        setenv("PMI_FD", "0x", 1);
        setenv("PMI_RANK", "0", 1);
        _exit(Pmi::of_this_process(soon()) == nullptr ? 0 : 1);
    });
}

}  // namespace
}  // namespace xccl
