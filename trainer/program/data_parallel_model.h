// One rank's copy of the model, and the step that keeps all copies alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/batch_reader.h"
#include "data/corpus.h"
#include "data/sampler.h"
#include "model/gpt2.h"
#include "model/optimizer.h"
#include "program/gradient_buckets.h"
#include "program/job.h"
#include "program/options.h"
#include "program/partial_gradients.h"
#include "program/shared_floats.h"
#include "report/step_record.h"
#include "threads/thread_pool.h"

namespace xccl::trainer {

// What each rank tells the others in every step, with the gradients.
struct RankReport {
    double loss = 0;       // mean over its micro-batches, nats per byte
    double elapsed = 0;    // seconds of training when it was written
    StepTimes last_times;  // of its step before this one
    int signal = 0;        // that asks to end; 0: none
};

struct StepResult {
    double loss = 0;           // mean over ranks
    double gradient_norm = 0;  // of the mean gradient, before clipping
    double learning_rate = 0;
    StepTimes times;  // of this rank; `other` is not known yet
};

class DataParallelModel {
  public:
    // Makes the first parameters: rank 0's, on every rank. All arguments must outlive it.
    DataParallelModel(const Options& options, const StepShape& shape, const Corpus& corpus,
                      Job& job, ThreadPool& pool);
    DataParallelModel(const DataParallelModel&) = delete;
    DataParallelModel& operator=(const DataParallelModel&) = delete;
    DataParallelModel(DataParallelModel&&) = delete;
    DataParallelModel& operator=(DataParallelModel&&) = delete;
    ~DataParallelModel();

    // `mine.loss` is filled in on the way; the learning rate is chosen when all reports are there.
    // Throws Failure if the loss or the gradient is not finite, or a rank is lost.
    StepResult step(std::uint64_t step, RankReport mine,
                    const std::function<double(std::span<const RankReport>)>& learning_rate);
    // What the ranks told in the last step, in rank order.
    std::span<const RankReport> reports() const { return reports_; }

    // Loss on held-out text, nats per byte. Each rank takes a share of the sequences, and leaves
    // the rest of it, after some, where `enough` says so.
    double evaluate(std::size_t sequence_count, const std::function<bool()>& enough);

    // The last positions of `text` that fit the context.
    void next_byte_logits(const std::string& text, std::span<float> logits);

    // Of the parameters. Throws Failure if ranks differ.
    std::string agreed_checksum();

    std::size_t parameter_count() const { return model_.layout().count(); }
    std::size_t bucket_count() const { return buckets_.bucket_count(); }
    std::size_t held_bytes() const;

  private:
    void compute_micro_batch(std::uint64_t step, std::size_t index, RankReport& mine,
                             StepTimes& times);
    void backward_last(const RankReport& mine);
    void wait_for_sums(const RankReport& mine);
    double update(std::uint64_t step, double learning_rate);

    const Options& options_;
    const StepShape shape_;
    Job& job_;
    ThreadPool& pool_;
    const std::size_t local_micro_batches_;
    Gpt2 model_;
    Optimizer optimizer_;
    Sampler sampler_;
    BatchReader training_;
    BatchReader validation_;
    std::size_t validation_windows_;
    SharedFloats parameters_;
    SharedFloats gradients_;
    PartialGradients partial_gradients_;
    GradientBuckets buckets_;
    std::vector<RankReport> reports_;  // [ranks]
};

}  // namespace xccl::trainer
