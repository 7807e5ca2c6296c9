// Proof, in both directions, that whoever is at the other end of a connection knows the secret,
// before anything that it says is believed.
//
//     client -> server   magic, version, purpose, 32 random bytes
//     client <- server   32 random bytes
//     client -> server   hello, MAC over everything so far
//     client <- server   reply, MAC over everything so far
//
// The server proves second: a port scanner gets at most 32 random bytes out of it. Both sides'
// random bytes, the purpose and both payloads are under the MAC, so nothing can be replayed,
// reflected or moved to another connection. The payloads are authentic, not secret.
//
// A state machine over a socket; never blocks. Exactly the handshake's bytes are read, so what
// follows stays in the socket. The caller keeps a deadline and closes the socket.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "trust/secret.h"

namespace xccl {

// What a connection is for; the two ends must agree.
enum class Purpose : std::uint16_t { kRendezvous = 1, kControl = 2, kData = 3, kDirectory = 4 };

constexpr std::size_t kMaxHelloBytes = 4096;  // of each payload

class Handshake {
  public:
    enum class Progress { kWantRead, kWantWrite, kDone, kFailed };
    // Called once, after the client has proved itself; returns what to reply.
    using Answer = std::function<std::string(const std::string& hello)>;

    static Handshake client(int fd, const Secret& secret, Purpose purpose, std::string hello);
    static Handshake server(int fd, const Secret& secret, Purpose purpose, Answer answer);

    // Does what can be done now.
    Progress advance();

    // The greetings have been exchanged: the other side speaks this protocol, whoever it is.
    bool challenged() const { return step_ != Step::kGreeting && step_ != Step::kChallenge; }
    // The client's hello, or the server's reply. Valid once advance() has returned kDone.
    const std::string& peer_hello() const { return peer_hello_; }
    // Why advance() returned kFailed.
    const Status& failure() const { return failure_; }

  private:
    enum class Step { kGreeting, kChallenge, kLength, kPayload, kLastWrite, kOver };

    Handshake(int fd, const Secret& secret, Purpose purpose, bool is_client);
    void expect(Step step, std::size_t size);
    void write(const std::string& bytes);
    void write_payload(const std::string& payload);
    Mac proof(const std::string& payload, bool of_client) const;
    bool flush();
    bool fill();
    void step();
    void check_greeting();
    void take_payload();
    void fail(std::string text);

    int fd_;
    Secret key_;
    Purpose purpose_;
    bool is_client_;
    std::string hello_;
    Answer answer_;
    Step step_ = Step::kGreeting;
    std::string transcript_;  // all that was said before, by both
    std::string out_, in_;
    std::size_t wanted_ = 0;  // bytes that in_ must have before step() can go on
    std::string peer_hello_;
    Status failure_;
};

// Advances until done, the deadline or `abort` (may be null). For callers that may block.
Status run_handshake(Handshake* handshake, int fd, Deadline deadline,
                     const std::atomic<bool>* abort);

}  // namespace xccl
