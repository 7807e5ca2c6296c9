// Gloo as a rival, over its TCP transport on loopback: it has no other one between processes.
//
// Arguments: rank, number of ranks, and a folder where the ranks find each other.
//
// It leaves the choice of the algorithm to its caller, so all that fit are offered, and the
// comparison takes the fastest for each size:
//
//   ring, bcube        gloo::allreduce, out of place, through its event loop's thread
//   ring_chunked,      the older algorithm objects, made once for a buffer; they work in place, so
//   halving_doubling   the input is copied into it first
//   *_polling          halving_doubling on sockets that the calling thread reads itself, spinning:
//                      the shortest latency. Both sides write before they read, so it is only for
//                      messages that fit into the sockets' buffers.
#include <gloo/allreduce.h>
#include <gloo/allreduce_halving_doubling.h>
#include <gloo/allreduce_ring_chunked.h>
#include <gloo/config.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/rendezvous/prefix_store.h>
#include <gloo/transport/tcp/device.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "library.h"

namespace xccl::compare {
namespace {

constexpr std::size_t kPollingBytes = 64 << 10;

class Gloo final : public Library {
  public:
    Gloo(int rank, int rank_count, const std::string& folder)
        : rank_(rank), rank_count_(rank_count), store_(folder) {
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
        if (call.operation != Operation::kAllReduce || call.rotates) return false;
        const std::string& algorithm = call.algorithm;
        const std::span<float> output = call.output;
        input_ = call.input;
        output_ = output;
        context_ = contexts_[algorithm];
        const int count = static_cast<int>(output.size());
        const std::vector<float*> buffers = {output.data()};
        if (algorithm == "ring") {
            prepare_call(gloo::AllreduceOptions::Algorithm::RING);
        } else if (algorithm == "bcube") {
            prepare_call(gloo::AllreduceOptions::Algorithm::BCUBE);
        } else if (algorithm == "ring_chunked") {
            object_ = std::make_unique<gloo::AllreduceRingChunked<float>>(context_, buffers, count);
        } else if (algorithm == "halving_doubling") {
            object_ =
                std::make_unique<gloo::AllreduceHalvingDoubling<float>>(context_, buffers, count);
        } else if (algorithm == "halving_doubling_polling") {
            if (output.size_bytes() > kPollingBytes) return false;
            object_ =
                std::make_unique<gloo::AllreduceHalvingDoubling<float>>(context_, buffers, count);
        } else {
            give_up("gloo: unknown algorithm " + algorithm);
        }
        return true;
    }
    void run() override {
        if (object_ == nullptr) {
            gloo::allreduce(*options_);
            return;
        }
        if (input_.data() != output_.data()) {
            std::copy(input_.begin(), input_.end(), output_.begin());
        }
        object_->run();
    }
    void release() override {
        object_.reset();
        options_.reset();
    }

  private:
    void prepare_call(gloo::AllreduceOptions::Algorithm algorithm) {
        options_ = std::make_unique<gloo::AllreduceOptions>(context_);
        options_->setAlgorithm(algorithm);
        options_->setInput(const_cast<float*>(input_.data()), input_.size());
        options_->setOutput(output_.data(), output_.size());
        options_->setReduceFunction(
            static_cast<void (*)(void*, const void*, const void*, std::size_t)>(&gloo::sum<float>));
    }

    std::shared_ptr<gloo::rendezvous::Context> connect(const std::string& name) {
        gloo::transport::tcp::attr address("127.0.0.1");
        auto device = gloo::transport::tcp::CreateDevice(address);
        auto context = std::make_shared<gloo::rendezvous::Context>(rank_, rank_count_);
        gloo::rendezvous::PrefixStore store(name, store_);
        context->connectFullMesh(store, device);
        return context;
    }

    int rank_;
    int rank_count_;
    gloo::rendezvous::FileStore store_;
    // One for each algorithm: where they share connections, a ring after a halving_doubling of 64
    // MiB waits for ever.
    std::map<std::string, std::shared_ptr<gloo::rendezvous::Context>> contexts_;
    std::shared_ptr<gloo::rendezvous::Context> context_;  // of what was prepared
    std::span<const float> input_;
    std::span<float> output_;
    std::unique_ptr<gloo::AllreduceOptions> options_;
    std::unique_ptr<gloo::Algorithm> object_;
};

}  // namespace

std::unique_ptr<Library> open_library(std::span<char*> arguments) {
    if (arguments.size() != 3) give_up("gloo: needs a rank, the number of ranks and a folder");
    return std::make_unique<Gloo>(std::atoi(arguments[0]), std::atoi(arguments[1]), arguments[2]);
}

}  // namespace xccl::compare
