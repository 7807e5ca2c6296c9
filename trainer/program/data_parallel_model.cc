#include "program/data_parallel_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "program/checksum.h"
#include "program/failure.h"
#include "program/stopwatch.h"

namespace xccl::trainer {
namespace {

std::size_t token_limit(const Options& options, const StepShape& shape) {
    return static_cast<std::size_t>(shape.micro_batch) * options.sequence_length;
}

}  // namespace

DataParallelModel::DataParallelModel(const Options& options, const StepShape& shape,
                                     const Corpus& corpus, Job& job, ThreadPool& pool)
    : options_(options),
      shape_(shape),
      job_(job),
      pool_(pool),
      local_micro_batches_(shape.micro_batch_count / job.rank_count()),
      model_(options.model(), token_limit(options, shape), pool),
      optimizer_(model_.layout(), pool),
      sampler_(corpus.training().count(), options.seed),
      training_(corpus.training(), options.sequence_length, shape.micro_batch),
      validation_(corpus.validation(), options.sequence_length, shape.micro_batch),
      validation_windows_(corpus.validation().count()),
      parameters_(model_.layout().count()),
      gradients_(model_.layout().count()),
      partial_gradients_(model_.layout().count(),
                         [this](std::span<float> into, std::span<const float> from) {
                             optimizer_.accumulate(into, from);
                         }),
      buckets_(gradients_.all(), std::max<std::size_t>(options.bucket_bytes / sizeof(float), 1),
               [this](std::span<float> bucket) {
                   options_.blocking ? job_.sum(bucket) : job_.start_sum(bucket);
               }),
      reports_(job.rank_count()) {
    initialise_parameters<float>(model_.layout(), options.layers, options.seed, parameters_.all());
    job_.broadcast(parameters_.all());
    pool_.set_poll([this] { job_.poll(); });
}

DataParallelModel::~DataParallelModel() {
    pool_.set_poll(nullptr);
}

StepResult DataParallelModel::step(
    std::uint64_t step, RankReport mine,
    const std::function<double(std::span<const RankReport>)>& learning_rate) {
    StepResult result;
    partial_gradients_.restart();
    buckets_.restart();
    const double background_before = job_.background_seconds();
    for (std::size_t i = 0; i < local_micro_batches_; ++i) {
        compute_micro_batch(step, i, mine, result.times);
    }
    Stopwatch watch;
    result.times.hidden_communication = job_.background_seconds() - background_before;
    wait_for_sums(mine);
    result.times.exposed_communication = watch.lap();

    for (const RankReport& report : reports_) result.loss += report.loss;
    result.loss /= static_cast<double>(reports_.size());
    result.learning_rate = learning_rate(reports_);
    if (!std::isfinite(result.loss)) {
        throw SharedFailure(kFailed,
                            "the loss is not finite at step {}: training diverged. Lower "
                            "--learning-rate, or --clip the gradient.",
                            step);
    }
    result.gradient_norm = update(step, result.learning_rate);
    result.times.optimizer = watch.lap();
    return result;
}

void DataParallelModel::compute_micro_batch(std::uint64_t step, std::size_t index, RankReport& mine,
                                            StepTimes& times) {
    Stopwatch watch;
    const std::uint64_t id = job_.rank() * local_micro_batches_ + index;
    const Batch batch =
        training_.training_batch(sampler_, shape_.first_position(step, id), shape_.micro_batch);
    times.input += watch.lap();

    const auto parameters = std::as_const(parameters_).all();
    mine.loss += model_.forward(parameters, batch) / static_cast<double>(local_micro_batches_);
    if (index + 1 < local_micro_batches_) {
        model_.backward(parameters, partial_gradients_.next(), nullptr);
        partial_gradients_.push();
    } else {
        backward_last(mine);
    }
    times.compute += watch.lap();
}

// The loss is known before backward begins, so the reports travel during it, as gradients do.
void DataParallelModel::backward_last(const RankReport& mine) {
    if (!options_.blocking) {
        reports_[job_.rank()] = mine;
        job_.start_gather(reports_);
    }
    const std::span<float> gradients = gradients_.all();
    model_.backward(std::as_const(parameters_).all(), gradients,
                    [&](std::size_t first, std::size_t count) {
                        partial_gradients_.add_to(first, gradients.subspan(first, count));
                        if (!options_.blocking) buckets_.finished(first + count);
                    });
}

void DataParallelModel::wait_for_sums(const RankReport& mine) {
    if (options_.blocking) {
        reports_ = job_.gather(mine);
        buckets_.finished(gradients_.all().size());
    }
    job_.finish();
}

// Returns the norm of the mean gradient. The scale is applied as AdamW reads, so that a sum of
// ranks' gradients and a sum of one rank's micro-batches go through the same roundings.
double DataParallelModel::update(std::uint64_t step, double learning_rate) {
    const double scale = 1.0 / static_cast<double>(shape_.micro_batch_count);
    const double norm = scale * optimizer_.norm(std::as_const(gradients_).all());
    if (!std::isfinite(norm)) {
        throw SharedFailure(kFailed,
                            "the gradient is not finite at step {}: training diverged. Lower "
                            "--learning-rate.",
                            step);
    }
    const double clip = options_.clip > 0 && norm > options_.clip ? options_.clip / norm : 1.0;
    const AdamwSettings settings{.learning_rate = static_cast<float>(learning_rate),
                                 .beta1 = static_cast<float>(options_.beta1),
                                 .beta2 = static_cast<float>(options_.beta2),
                                 .weight_decay = static_cast<float>(options_.weight_decay)};
    optimizer_.step(settings, step + 1, static_cast<float>(scale * clip), parameters_.all(),
                    std::as_const(gradients_).all());
    return norm;
}

double DataParallelModel::evaluate(std::size_t sequence_count,
                                   const std::function<bool()>& enough) {
    struct Share {
        double loss_sum = 0;
        double sequences = 0;
    };
    const std::size_t total = std::min(sequence_count, validation_windows_);
    const std::size_t end = total * (job_.rank() + 1) / job_.rank_count();
    Share mine;
    std::size_t next = total * job_.rank() / job_.rank_count();
    while (next < end && (mine.sequences == 0 || !enough())) {
        const std::size_t count = std::min<std::size_t>(shape_.micro_batch, end - next);
        const Batch batch = validation_.spread_batch(next, count, total);
        const auto weight = static_cast<double>(count);
        mine.loss_sum += weight * model_.forward(std::as_const(parameters_).all(), batch);
        mine.sequences += weight;
        next += count;
    }
    Share all;
    for (const Share& share : job_.gather(mine)) {
        all.loss_sum += share.loss_sum;
        all.sequences += share.sequences;
    }
    return all.loss_sum / all.sequences;
}

void DataParallelModel::next_byte_logits(const std::string& text, std::span<float> logits) {
    const std::size_t count =
        std::min(text.size(), std::min(options_.sequence_length, token_limit(options_, shape_)));
    std::vector<Token> tokens;
    for (const char c : text.substr(text.size() - count)) {
        tokens.push_back(static_cast<unsigned char>(c));
    }
    model_.next_token_logits(std::as_const(parameters_).all(), tokens, logits);
}

std::string DataParallelModel::agreed_checksum() {
    Checksum checksum;
    checksum.add(std::as_const(parameters_).all());
    const std::vector<std::uint64_t> all = job_.gather(checksum.value());
    for (std::size_t rank = 1; rank < all.size(); ++rank) {
        if (all[rank] != all[0]) {
            throw SharedFailure(kFailed,
                                "ranks ended with different parameters: {:016x} on rank 0, {:016x} "
                                "on rank {}. This is a bug, or a machine with faulty memory.",
                                all[0], all[rank], rank);
        }
    }
    return fmt::format("{:016x}", all[0]);
}

std::size_t DataParallelModel::held_bytes() const {
    constexpr std::size_t kArrays = 4;  // parameters, gradients, two moments
    return kArrays * parameter_count() * sizeof(float) + model_.activation_bytes() +
           model_.workspace_bytes();
}

}  // namespace xccl::trainer
