#include "bootstrap/directory.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "trust/handshake.h"
#include "trust/sealed.h"
#include "trust/wait.h"

namespace xccl {
namespace {

constexpr std::size_t kMaxVisitors = 256;  // at a time; the oldest makes room
constexpr std::int64_t kVisitMs = 5000;    // of one visitor, who may be a slow stranger
constexpr int kFirstPauseMs = 1;           // of a visitor who came early; doubles
constexpr int kLongestPauseMs = 50;
constexpr std::size_t kMaxNamedRanks = 8;  // in a message

enum class Answer : std::uint8_t { kValue, kNotYet, kFailure };

Secret seal_key(const Secret& secret) {
    return derive(secret, "directory");
}

// ---- Process 0 ------------------------------------------------------------------------------

class Desk {
  public:
    Desk(const MeetingPlace& place, const Visit& self, const Result<std::string>& value)
        : place_(place), self_(self), value_(value), served_(self.size, false) {
        served_[0] = true;
        missing_ = self.size - 1;
    }

    Status serve(int listener, Deadline deadline) {
        while (missing_ > 0) {
            if (deadline.passed()) return timeout_error("{}", who_is_missing());
            wait(listener, deadline);
            for (auto visitor = visitors_.begin(); visitor != visitors_.end();) {
                visitor = goes_on(**visitor) ? visitor + 1 : visitors_.erase(visitor);
            }
            admit(listener);
        }
        return ok_status();
    }

  private:
    struct Visitor {
        OwnedDescriptor socket;
        std::optional<Handshake> handshake;
        Deadline patience;
        short events = POLLIN;
        int served_rank = -1;
    };

    void wait(int listener, Deadline deadline) {
        std::vector<pollfd> items{{listener, POLLIN, 0}};
        for (const auto& visitor : visitors_) {
            items.push_back({visitor->socket.get(), visitor->events, 0});
            deadline = deadline.earlier(visitor->patience);
        }
        poll(items.data(), items.size(), deadline.poll_timeout_ms());
    }

    void admit(int listener) {
        for (;;) {
            OwnedDescriptor socket(
                accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (!socket) return;
            if (!place_.admits(socket.get())) continue;
            if (visitors_.size() == kMaxVisitors) visitors_.erase(visitors_.begin());
            visitors_.push_back(std::unique_ptr<Visitor>(new Visitor{
                std::move(socket), std::nullopt, Deadline::after_ms(kVisitMs), POLLIN, -1}));
            Visitor* const visitor = visitors_.back().get();
            visitor->handshake = Handshake::server(
                visitor->socket.get(), place_.secret(), Purpose::kDirectory,
                [this, visitor](const std::string& hello) { return answer(hello, visitor); });
        }
    }

    // False: the visit is over.
    bool goes_on(Visitor& visitor) {
        switch (visitor.handshake->advance()) {
            case Handshake::Progress::kWantRead:
                visitor.events = POLLIN;
                break;
            case Handshake::Progress::kWantWrite:
                visitor.events = POLLOUT;
                break;
            case Handshake::Progress::kDone:
                note_served(visitor.served_rank);
                return false;
            case Handshake::Progress::kFailed:
                return false;
        }
        return !visitor.patience.passed();
    }

    void note_served(int rank) {
        if (rank < 0 || served_[rank]) return;
        served_[rank] = true;
        --missing_;
    }

    // What to reply to a visitor who has proved that he knows the secret.
    std::string answer(const std::string& hello, Visitor* visitor) {
        ByteReader reader(hello);
        const auto number = reader.get<std::uint64_t>();
        const auto rank = reader.get<std::int32_t>();
        const auto size = reader.get<std::int32_t>();
        if (!reader.complete()) return reply(Answer::kFailure, xcclInternalError, "garbled visit");
        if (size != self_.size || rank < 1 || rank >= size) {
            return reply(Answer::kFailure, xcclInvalidUsage,
                         fmt::format("rank {} of {} came to process 0 of a job of {}", rank, size,
                                     self_.size));
        }
        if (number > self_.number) return reply(Answer::kNotYet, xcclSuccess, "");
        if (number < self_.number) {
            return reply(Answer::kFailure, xcclInvalidUsage,
                         fmt::format("rank {} asks for id {} of the job, process 0 is at {}: all "
                                     "processes must ask equally often",
                                     rank, number + 1, self_.number + 1));
        }
        visitor->served_rank = rank;
        if (!value_.ok()) {
            return reply(Answer::kFailure, value_.status().code(),
                         "process 0 failed: " + value_.status().text());
        }
        return reply(Answer::kValue, xcclSuccess, *value_);
    }

    std::string reply(Answer kind, xcclResult_t code, std::string_view text) const {
        ByteWriter writer;
        writer.put(static_cast<std::uint8_t>(kind)).put(static_cast<std::int32_t>(code));
        writer.raw(text.substr(0, kMaxHandedBytes));
        return seal(seal_key(place_.secret()), writer.take());
    }

    std::string who_is_missing() const {
        std::string ranks;
        std::size_t named = 0;
        for (std::size_t rank = 1; rank < served_.size() && named < kMaxNamedRanks; ++rank) {
            if (served_[rank]) continue;
            ranks += fmt::format("{}{}", named++ > 0 ? ", " : "", rank);
        }
        return fmt::format(
            "{} of {} processes did not come to {} in time (rank {}{}); see whether they have "
            "ended, or never called",
            missing_, self_.size, place_.text(), ranks,
            static_cast<std::size_t>(missing_) > named ? ", ..." : "");
    }

    const MeetingPlace& place_;
    const Visit self_;
    const Result<std::string>& value_;
    std::vector<bool> served_;  // by rank
    int missing_;
    std::vector<std::unique_ptr<Visitor>> visitors_;  // the oldest first
};

// ---- The others -----------------------------------------------------------------------------

std::string hello_of(const Visit& self) {
    ByteWriter writer;
    writer.put(self.number).put(std::int32_t{self.rank}).put(std::int32_t{self.size});
    return writer.take();
}

// No value: not yet.
Result<std::optional<std::string>> read_reply(const Secret& secret, const std::string& sealed) {
    const auto opened = unseal(seal_key(secret), sealed);
    ByteReader reader(opened ? std::string_view(*opened) : std::string_view());
    const auto kind = static_cast<Answer>(reader.get<std::uint8_t>());
    const auto code = static_cast<xcclResult_t>(reader.get<std::int32_t>());
    if (!reader.good()) return remote_error("garbled reply");
    const std::string_view text = reader.rest();
    if (kind == Answer::kNotYet) return std::optional<std::string>();
    if (kind == Answer::kValue) return std::optional<std::string>(text);
    return Status(code, std::string(text));
}

}  // namespace

Status hand_out(const MeetingPlace& place, const Visit& self, const Result<std::string>& value,
                Deadline deadline) {
    if (self.size > 1) {
        XCCL_ASSIGN(const OwnedDescriptor listener, place.listen(deadline));
        XCCL_TRY(Desk(place, self, value).serve(listener.get(), deadline));
    }
    return value.status();
}

Result<std::string> fetch(const MeetingPlace& place, const Visit& self, Deadline deadline) {
    std::string last = "nobody was there";
    int pause_ms = kFirstPauseMs;
    do {
        const auto connection = place.connect(deadline);
        if (!connection.ok()) {
            if (connection.status().code() != xcclRemoteError) return connection.status();
            last = connection.status().text();
            continue;
        }
        Handshake handshake = Handshake::client(connection->get(), place.secret(),
                                                Purpose::kDirectory, hello_of(self));
        const Status met = run_handshake(&handshake, connection->get(),
                                         deadline.earlier(Deadline::after_ms(kVisitMs)), nullptr);
        if (!met.ok()) {
            last = met.text();
            continue;
        }
        const auto reply = read_reply(place.secret(), handshake.peer_hello());
        if (!reply.ok()) return reply.status();
        if (reply->has_value()) return **reply;
        last = "it has not come to this id yet";
    } while (pause_for(std::exchange(pause_ms, std::min(2 * pause_ms, kLongestPauseMs)), deadline,
                       nullptr));
    return timeout_error(
        "process 0 of the job was not met at {} in time ({}); see whether it has ended, or never "
        "called",
        place.text(), last);
}

}  // namespace xccl
