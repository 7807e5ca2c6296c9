// Moves messages between mailboxes of ranks on different hosts, over TCP. See tcp_peer.h for the
// road of one message, tcp_gate.h for how connections form, tcp_frame.h for what is on the wire.
//
// Whatever is published is written at once, if the socket takes it; progress() reads, returns
// credit, and writes the rest. One poller stands for all sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "transport/poller.h"
#include "transport/tcp.h"
#include "transport/tcp_gate.h"
#include "transport/tcp_peer.h"

namespace xccl {

class TcpCarrier : public Carrier {
  public:
    static Result<std::unique_ptr<TcpCarrier>> make(
        TcpOptions options, std::unique_ptr<TcpListener> listener,
        std::vector<std::vector<std::string>> endpoints);

    Result<std::unique_ptr<Link>> connect(int rank);
    void leave(Deadline deadline);
    std::uint64_t payload_bytes_sent() const { return shared_.payload_bytes_sent; }

    const char* name() const override { return "tcp"; }
    void published(int rank, int lane) override;
    void released(int rank, int lane) override;
    Result<bool> progress() override;
    bool is_settled() const override;
    void expect(int rank) override { expected_ = rank; }
    void post(int rank, int lane, const PostedReceive& posted) override;
    bool flushed() const override;
    bool flushed(int rank, int lane) const override;
    void keep_payloads() override;
    void announce(const OperationDescriptor& operation) override;
    void tell(int rank) override;
    std::optional<OperationDescriptor> heard(int rank) const override;
    std::optional<OperationDescriptor> heard_at(int rank, std::uint64_t sequence) const override;
    bool has_left(int rank) const override;
    int poll_descriptor() const override { return poller_.descriptor(); }

  private:
    TcpCarrier(TcpOptions options, Poller poller, std::vector<std::vector<std::string>> endpoints);

    TcpPeer* peer(int rank) const { return peers_[static_cast<std::size_t>(rank)].get(); }
    Result<TcpPeer*> peer_or_new(int rank);
    Status advance_gate();
    bool may_look_at_one();
    bool is_forming(int rank) const;
    bool look_at(int rank);
    bool look_at_all();
    void return_credit();
    bool read_stream(TcpPeer& from, int index);
    bool pump(TcpPeer& to);
    void close_stream(TcpPeer& from, int index);
    void lose(const TcpPeer& from, const std::string& why);
    void fail(const Status& status) {
        if (failure_.ok()) failure_ = status;
    }
    bool show_delayed();
    void set_timer();
    std::size_t bytes_in_sockets() const;

    const TcpOptions options_;
    Poller poller_;
    const std::vector<std::vector<std::string>> endpoints_;  // by rank
    TcpShared shared_;
    std::unique_ptr<TcpGate> gate_;
    std::vector<std::unique_ptr<TcpPeer>> peers_;  // by rank; null: neither linked nor heard of
    std::vector<TcpPeer*> known_;                  // those that are not null
    std::vector<std::vector<bool>> wants_write_;   // by rank and stream: as the poller knows it
    int blocked_streams_ = 0;                      // how many of those there are
    int expected_ = -1;                            // from whom something is to come
    int looks_at_one_ = 0;                         // since the last look at all
    OwnedDescriptor timer_;                        // for the delay line
    Status failure_;                               // the first; sticky
    bool left_ = false;
};

}  // namespace xccl
