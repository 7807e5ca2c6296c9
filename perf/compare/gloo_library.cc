// Gloo as a rival, over its TCP transport: it has no other one between processes.
//
// Arguments: rank, number of ranks, a folder where the ranks find each other, and the address of
// this rank's host, unless that is loopback.
//
// It leaves the choice of the algorithm to its caller, so all that fit are offered, and the
// comparison takes the fastest for each size:
//
//   ring, bcube        gloo::allreduce, through its event loop's thread; the first name stands for
//                      the only algorithm of its other operations, too
//   ring_chunked,      the older algorithm objects, made once for a buffer; they work in place, so
//   halving_doubling   the input is copied into it first. Where buffers change from call to call it
//                      is one of their own, out of which the result is copied.
//                      halving_doubling is a reduce-scatter, too: the only one that it has, and
//                      always in memory of its own, since it overwrites its input
//   *_polling          halving_doubling on sockets that the calling thread reads itself, spinning:
//                      the shortest latency. Both sides write before they read, so it is only for
//                      messages that fit into the sockets' buffers.
#include <gloo/allgather.h>
#include <gloo/allreduce.h>
#include <gloo/allreduce_halving_doubling.h>
#include <gloo/allreduce_ring_chunked.h>
#include <gloo/alltoall.h>
#include <gloo/broadcast.h>
#include <gloo/config.h>
#include <gloo/reduce_scatter.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/rendezvous/prefix_store.h>
#include <gloo/transport/tcp/device.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>

#include "library.h"

namespace xccl::compare {
namespace {

constexpr std::size_t kPollingBytes = 64 << 10;

class Gloo final : public Library {
  public:
    Gloo(int rank, int rank_count, const std::string& folder, std::string address)
        : rank_(rank), rank_count_(rank_count), address_(std::move(address)), store_(folder) {
        for (const std::string& algorithm : algorithms()) {
            contexts_[algorithm] = connect(algorithm);
        }
        for (int peer = 0; peer < rank_count; ++peer) {
            if (peer == rank) continue;
            contexts_["halving_doubling_polling"]->getPair(peer)->setSync(true, true);
        }
    }

    int rank() const override { return rank_; }
    int rank_count() const override { return rank_count_; }
    std::string description() const override {
        return "Gloo " + std::to_string(GLOO_VERSION_MAJOR) + "." +
               std::to_string(GLOO_VERSION_MINOR) + "." + std::to_string(GLOO_VERSION_PATCH);
    }
    std::vector<std::string> algorithms() const override {
        return {"ring", "bcube", "ring_chunked", "halving_doubling", "halving_doubling_polling"};
    }

    bool prepare(const Call& call) override {
        call_ = call;
        context_ = contexts_[call.algorithm];
        if (call.algorithm == "ring") {
            if (call.operation != Operation::kAllReduce) return prepare_operation();
            prepare_all_reduce(gloo::AllreduceOptions::Algorithm::RING);
            return true;
        }
        if (call.operation == Operation::kReduceScatter) {
            if (call.algorithm != "halving_doubling") return false;
            if (object_ == nullptr) make_reduce_scatter();
            return true;
        }
        if (call.operation != Operation::kAllReduce) return false;
        if (call.algorithm == "bcube") {
            prepare_all_reduce(gloo::AllreduceOptions::Algorithm::BCUBE);
            return true;
        }
        if (call.algorithm == "halving_doubling_polling" &&
            call.output.size_bytes() > kPollingBytes) {
            return false;
        }
        if (object_ == nullptr) make_object();
        return true;
    }

    void run() override {
        if (object_ == nullptr) {
            operation_();
            return;
        }
        const std::span<float> place = own_.empty() ? call_.output : std::span<float>(own_);
        if (call_.input.data() != place.data()) std::ranges::copy(call_.input, place.begin());
        object_->run();
        if (!own_.empty()) {
            std::ranges::copy(place.first(call_.output.size()), call_.output.begin());
        }
    }
    void release() override {
        object_.reset();
        own_.clear();
        operation_ = {};
    }

  private:
    void prepare_all_reduce(gloo::AllreduceOptions::Algorithm algorithm) {
        auto options = std::make_shared<gloo::AllreduceOptions>(context_);
        options->setAlgorithm(algorithm);
        if (!call_.in_place()) {
            options->setInput(const_cast<float*>(call_.input.data()), call_.input.size());
        }
        options->setOutput(call_.output.data(), call_.output.size());
        options->setReduceFunction(
            static_cast<void (*)(void*, const void*, const void*, std::size_t)>(&gloo::sum<float>));
        operation_ = [options] { gloo::allreduce(*options); };
    }

    // False for a reduce-scatter, which it has only as an object.
    bool prepare_operation() {
        float* input = const_cast<float*>(call_.input.data());
        if (call_.operation == Operation::kAllGather) {
            auto options = std::make_shared<gloo::AllgatherOptions>(context_);
            options->setInput(input, call_.input.size());
            options->setOutput(call_.output.data(), call_.output.size());
            operation_ = [options] { gloo::allgather(*options); };
        } else if (call_.operation == Operation::kAlltoall) {
            auto options = std::make_shared<gloo::AlltoallOptions>(context_);
            options->setInput(input, call_.input.size());
            options->setOutput(call_.output.data(), call_.output.size());
            operation_ = [options] { gloo::alltoall(*options); };
        } else if (call_.operation == Operation::kBroadcast) {
            auto options = std::make_shared<gloo::BroadcastOptions>(context_);
            options->setOutput(call_.output.data(), call_.output.size());
            options->setRoot(0);
            operation_ = [options] { gloo::broadcast(*options); };
        } else {
            return false;
        }
        return true;
    }

    void make_reduce_scatter() {
        own_.assign(call_.input.size(), 0);
        object_ = std::make_unique<gloo::ReduceScatterHalvingDoubling<float>>(
            context_, std::vector<float*>{own_.data()}, static_cast<int>(own_.size()),
            std::vector<int>(static_cast<std::size_t>(rank_count_),
                             static_cast<int>(call_.output.size())));
    }

    void make_object() {
        float* place = call_.output.data();
        const int count = static_cast<int>(call_.output.size());
        if (call_.rotates) {
            own_.assign(call_.output.size(), 0);
            place = own_.data();
        }
        const std::vector<float*> buffers = {place};
        if (call_.algorithm == "ring_chunked") {
            object_ = std::make_unique<gloo::AllreduceRingChunked<float>>(context_, buffers, count);
        } else {
            object_ =
                std::make_unique<gloo::AllreduceHalvingDoubling<float>>(context_, buffers, count);
        }
    }

    std::shared_ptr<gloo::rendezvous::Context> connect(const std::string& name) {
        auto device =
            gloo::transport::tcp::CreateDevice(gloo::transport::tcp::attr(address_.c_str()));
        auto context = std::make_shared<gloo::rendezvous::Context>(rank_, rank_count_);
        gloo::rendezvous::PrefixStore store(name, store_);
        context->connectFullMesh(store, device);
        return context;
    }

    int rank_;
    int rank_count_;
    std::string address_;
    gloo::rendezvous::FileStore store_;
    // One for each algorithm: where they share connections, a ring after a halving_doubling of 64
    // MiB waits for ever.
    std::map<std::string, std::shared_ptr<gloo::rendezvous::Context>> contexts_;
    std::shared_ptr<gloo::rendezvous::Context> context_;  // of what was prepared
    Call call_;
    std::function<void()> operation_;  // unless there is an object
    std::vector<float> own_;           // that the object works in, unless that is the output
    std::unique_ptr<gloo::Algorithm> object_;
};

}  // namespace

std::unique_ptr<Library> open_library(std::span<char*> arguments) {
    if (arguments.size() != 3 && arguments.size() != 4) {
        give_up(
            "gloo: needs a rank, the number of ranks, a folder, and an address unless loopback");
    }
    return std::make_unique<Gloo>(std::atoi(arguments[0]), std::atoi(arguments[1]), arguments[2],
                                  arguments.size() == 4 ? arguments[3] : "127.0.0.1");
}

}  // namespace xccl::compare
