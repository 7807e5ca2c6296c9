#include "bootstrap/pmi.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "base/config.h"
#include "base/text.h"
#include "bootstrap/mpi_library.h"
#include "observe/log.h"
#include "trust/wait.h"

namespace xccl {
namespace {

constexpr std::int64_t kGoodbyeMs = 2000;

Status check_code(const PmiMessage& answer) {
    const auto code = answer.number("rc");
    if (code.value_or(0) == 0) return ok_status();
    const std::string* const text = answer.find("msg");
    return system_error("the launcher's PMI answered {} with code {}{}{}", answer.command, *code,
                        text != nullptr ? ": " : "", text != nullptr ? *text : "");
}

}  // namespace

Result<std::unique_ptr<Pmi>> Pmi::open(const Setting& setting, Deadline deadline) {
    std::unique_ptr<Pmi> pmi(new Pmi(setting));
    XCCL_TRY(pmi->introduce(deadline));
    return pmi;
}

Status Pmi::introduce(Deadline deadline) {
    const bool two = !setting_.job.empty();
    if (!setting_.shared) {
        const PmiMessage init{
            "init", {{"pmi_version", two ? "2" : "1"}, {"pmi_subversion", two ? "0" : "1"}}};
        XCCL_TRY(ask(init, "response_to_init", deadline));
    }
    if (two) {
        version_ = PmiVersion::kTwo;
        const PmiMessage more{"fullinit",
                              {{"pmijobid", setting_.job},
                               {"pmirank", std::to_string(setting_.rank)},
                               {"threaded", "FALSE"}}};
        XCCL_TRY(ask(more, "fullinit-response", deadline));
        return ok_status();
    }
    XCCL_ASSIGN(const PmiMessage named, ask({"get_my_kvsname", {}}, "my_kvsname", deadline));
    const std::string* const name = named.find("kvsname");
    if (name == nullptr) return system_error("the launcher's PMI has no key-value space");
    space_ = *name;
    return ok_status();
}

Result<std::string> Pmi::from_rank_0(const std::string& key, const std::string& value,
                                     Deadline deadline) {
    const bool one = version_ == PmiVersion::kOne;
    PmiMessage put{one ? "put" : "kvs-put", {{"key", key}, {"value", value}}};
    PmiMessage get{one ? "get" : "kvs-get", {{"key", key}}};
    if (one) {
        for (PmiMessage* message : {&put, &get}) {
            message->fields.insert(message->fields.begin(), {"kvsname", space_});
        }
    } else {
        get.fields.insert(get.fields.begin(), {{"jobid", setting_.job}, {"srcid", "-1"}});
    }
    if (setting_.rank == 0) {
        XCCL_TRY(ask(put, one ? "put_result" : "kvs-put-response", deadline));
    }
    // Returns when all processes of the job are here.
    XCCL_TRY(ask({one ? "barrier_in" : "kvs-fence", {}}, one ? "barrier_out" : "kvs-fence-response",
                 deadline));
    XCCL_ASSIGN(const PmiMessage got, ask(get, one ? "get_result" : "kvs-get-response", deadline));
    const std::string* const found = got.find("value");
    if (found == nullptr) return system_error("the launcher's PMI has no value for {}", key);
    return *found;
}

Status Pmi::say_goodbye(Deadline deadline) {
    if (setting_.shared) return ok_status();
    const bool one = version_ == PmiVersion::kOne;
    return ask({"finalize", {}}, one ? "finalize_ack" : "finalize-response", deadline).status();
}

Result<PmiMessage> Pmi::ask(const PmiMessage& request, const char* answer, Deadline deadline) {
    XCCL_TRY(broken_);
    broken_ = system_error("an earlier request to the launcher's PMI failed");
    XCCL_TRY(send_all(encode(version_, request), deadline));
    XCCL_ASSIGN(PmiMessage received, receive(deadline));
    if (received.command != answer) {
        return system_error("the launcher's PMI answered {} with {}", request.command,
                            received.command);
    }
    broken_ = ok_status();
    XCCL_TRY(check_code(received));
    return received;
}

Result<PmiMessage> Pmi::receive(Deadline deadline) {
    for (;;) {
        XCCL_ASSIGN(auto message, take_message(version_, &received_));
        if (message) return std::move(*message);
        const Status waited = wait_for(setting_.socket, POLLIN, deadline, nullptr);
        if (waited.code() == xcclTimeout) {
            return timeout_error("not all processes of the job came to PMI's barrier in time");
        }
        XCCL_TRY(waited);
        char bytes[4096];
        const ssize_t count = recv(setting_.socket, bytes, sizeof bytes, MSG_DONTWAIT);
        if (count == 0) return system_error("the launcher closed the PMI connection");
        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            return system_error("the launcher's PMI: {}", errno_text("recv", errno));
        }
        if (count > 0) received_.append(bytes, static_cast<std::size_t>(count));
    }
}

Status Pmi::send_all(const std::string& bytes, Deadline deadline) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t count = send(setting_.socket, bytes.data() + sent, bytes.size() - sent,
                                   MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            sent += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN) {
            XCCL_TRY(wait_for(setting_.socket, POLLOUT, deadline, nullptr));
        } else if (errno != EINTR) {
            return system_error("the launcher's PMI: {}", errno_text("send", errno));
        }
    }
    return ok_status();
}

// ---- The connection of this process ---------------------------------------------------------

namespace {

std::optional<int> number_of(const char* variable) {
    const auto text = environment_variable(variable);
    return text ? whole_number<int>(*text) : std::nullopt;
}

struct Identity {  // of a socket: by the end, its number may mean another file
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const Identity& other) const {
        return device == other.device && inode == other.inode;
    }
};

std::optional<Identity> identity_of(int socket) {
    struct stat status {};
    if (fstat(socket, &status) != 0 || !S_ISSOCK(status.st_mode)) return std::nullopt;
    return Identity{status.st_dev, status.st_ino};
}

// Never deleted: used until the very end of the process.
struct Session {
    std::unique_ptr<Pmi> pmi;
    int socket;
    Identity identity;
    pid_t owner;
};
Session* the_session = nullptr;

// Whether the connection is still there: an MPI library that is finalised closes it.
bool is_open(const Session& session) {
    return mpi_state() != MpiState::kFinalized && identity_of(session.socket) == session.identity;
}

void leave() {
    if (getpid() != the_session->owner || !is_open(*the_session)) return;
    (void)the_session->pmi->say_goodbye(Deadline::after_ms(kGoodbyeMs)).ok();
}

Pmi* connect(Deadline deadline) {
    const auto socket = number_of("PMI_FD");
    const auto rank = number_of("PMI_RANK");
    const auto identity = socket ? identity_of(*socket) : std::nullopt;
    if (!rank || !identity || mpi_state() == MpiState::kFinalized) return nullptr;
    Pmi::Setting setting{*socket, *rank, environment_variable("PMI_JOBID").value_or(""),
                         mpi_state() == MpiState::kRunning};
    // Which version the MPI library speaks there, we cannot know.
    if (setting.shared && !setting.job.empty()) return nullptr;
    auto opened = Pmi::open(setting, deadline);
    if (!opened.ok()) {
        log(LogLevel::kInfo, -1, 0, "bootstrap", "{}", opened.status().text());
        return nullptr;
    }
    // The connection is this process's: its children have the variables, but are not in the job.
    fcntl(*socket, F_SETFD, FD_CLOEXEC);
    the_session = new Session{std::move(opened).value(), *socket, *identity, getpid()};
    std::atexit(leave);
    return the_session->pmi.get();
}

}  // namespace

Pmi* Pmi::of_this_process(Deadline deadline) {
    static Pmi* const once = connect(deadline);
    return once != nullptr && is_open(*the_session) ? once : nullptr;
}

}  // namespace xccl
