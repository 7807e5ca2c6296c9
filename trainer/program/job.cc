#include "program/job.h"

#include "program/stopwatch.h"

namespace xccl::trainer {
namespace {

// The library's last words belong to the communicator, or to the thread while there is none.
void check_result(xcclResult_t result, xcclComm_t comm) {
    if (result == xcclSuccess) return;
    const std::string why = xcclGetLastError(comm);
    throw Failure(kCommunication, "{}", why.empty() ? xcclGetErrorString(result) : why);
}

}  // namespace

Job::Job(bool reproducible) {
    info_.size = sizeof(info_);
    check(xcclGetLaunchInfo(&info_));
    xcclUniqueId id{};
    check(xcclGetJobUniqueId(&id));
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    if (reproducible) config.reproducible = 1;
    config.commName = "xccl-train";
    check(xcclCommInitRankConfig(&comm_, info_.nranks, id, info_.rank, &config));
    if (const xcclResult_t result = xcclStreamCreate(&stream_); result != xcclSuccess) {
        xcclCommAbort(comm_);
        check_result(result, nullptr);
    }
}

void Job::abort() {
    if (comm_ == nullptr) return;
    xcclCommAbort(comm_);  // first: what is queued on the stream ends with an error
    xcclStreamDestroy(stream_);
    comm_ = nullptr;
}

void Job::close() {
    finish();
    check(xcclStreamDestroy(stream_));
    check(xcclCommFinalize(comm_));
    check(xcclCommDestroy(comm_));
    comm_ = nullptr;
}

void Job::broadcast(std::span<float> values) {
    check(xcclBcast(values.data(), values.size(), xcclFloat32, 0, comm_, nullptr));
}

void Job::sum(std::span<float> values) {
    check(xcclAllReduce(values.data(), values.data(), values.size(), xcclFloat32, xcclSum, comm_,
                        nullptr));
}

void Job::gather_bytes(void* all, std::size_t bytes) {
    check(xcclAllGather(static_cast<char*>(all) + rank() * bytes, all, bytes, xcclUint8, comm_,
                        nullptr));
}

void Job::start_gather_bytes(void* all, std::size_t bytes) {
    const double since = now_seconds();
    started(xcclAllGather(static_cast<char*>(all) + rank() * bytes, all, bytes, xcclUint8, comm_,
                          stream_),
            since);
}

void Job::start_sum(std::span<float> values) {
    const double since = now_seconds();
    started(xcclAllReduce(values.data(), values.data(), values.size(), xcclFloat32, xcclSum, comm_,
                          stream_),
            since);
}

void Job::started(xcclResult_t result, double since) {
    background_busy_ = true;
    if (background_result_ == xcclSuccess) background_result_ = result;
    background_seconds_ += now_seconds() - since;
}

void Job::poll() {
    if (!background_busy_) return;
    const double since = now_seconds();
    const xcclResult_t result = xcclStreamQuery(stream_);
    background_busy_ = result == xcclInProgress;
    if (!background_busy_ && background_result_ == xcclSuccess) background_result_ = result;
    background_seconds_ += now_seconds() - since;
}

void Job::finish() {
    check(background_result_);
    check(xcclStreamSynchronize(stream_));
    background_busy_ = false;
}

void Job::check(xcclResult_t result) const {
    check_result(result, comm_);
}

}  // namespace xccl::trainer
