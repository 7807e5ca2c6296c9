"""PyTorch as a rival: torch.distributed with its gloo backend, over TCP, as a user would call it.

    compare_pytorch SOCKET STARTING_LINE RANK RANKS FOLDER

The loop around the calls, the buffers and the checks are those of all other libraries: a shared
library (pytorch_library.cc) that calls the functions below. FOLDER is where the ranks meet.
GLOO_SOCKET_IFNAME names the network interface.

all_reduce works in place: out of place the input is copied first. The parts of an all-gather are
tensors that lie one after the other. A reduce-scatter is there in newer versions alone.
"""

import ctypes
import os
import sys
import traceback

import torch
import torch.distributed as dist

_ADDRESS, _SIZE = ctypes.c_void_p, ctypes.c_size_t
_PREPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, _ADDRESS, _SIZE, _ADDRESS, _SIZE)
_CALL = ctypes.CFUNCTYPE(None)


class _Functions(ctypes.Structure):
    _fields_ = [("prepare", _PREPARE), ("run", _CALL), ("release", _CALL)]


def _view(address, count):
    """A tensor of the worker's memory."""
    return torch.frombuffer((ctypes.c_float * count).from_address(address), dtype=torch.float32)


def _all_reduce(source, target):
    if source.data_ptr() == target.data_ptr():
        return lambda: dist.all_reduce(target)

    def apart():
        target.copy_(source)
        dist.all_reduce(target)
    return apart


def _all_gather(source, target):
    parts = list(target.chunk(dist.get_world_size()))
    return lambda: dist.all_gather(parts, source)


def _reduce_scatter(source, target):
    return lambda: dist.reduce_scatter_tensor(target, source)


def _broadcast(_, target):
    return lambda: dist.broadcast(target, 0)


def _alltoall(source, target):
    return lambda: dist.all_to_all_single(target, source)


# In the order of Operation in library.h.
_OPERATIONS = (_all_reduce, _all_gather, _reduce_scatter, _broadcast, _alltoall)


def _can_reduce_scatter():
    try:
        dist.reduce_scatter_tensor(torch.zeros(4), torch.zeros(4 * dist.get_world_size()))
        return True
    except (AttributeError, RuntimeError):  # older versions: "does not support"
        return False


def _or_end(function):
    """An exception cannot pass through the worker, which would go on."""
    def safely(*arguments):
        try:
            return function(*arguments)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    return safely


class _Rank:
    def __init__(self):
        self.can_reduce_scatter = _can_reduce_scatter()
        self.call = None

    def prepare(self, operation, source, source_count, target, target_count):
        if _OPERATIONS[operation] is _reduce_scatter and not self.can_reduce_scatter:
            return 0
        self.call = _OPERATIONS[operation](_view(source, source_count), _view(target, target_count))
        return 1

    def run(self):
        self.call()

    def release(self):
        self.call = None


def main(socket, starting_line, rank, rank_count, folder):
    torch.set_num_threads(1)  # as torchrun has it
    dist.init_process_group("gloo", init_method=f"file://{folder}/pytorch", rank=int(rank),
                            world_size=int(rank_count))
    worker = ctypes.CDLL(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                      "libcompare_pytorch.so"))
    own = _Rank()
    functions = _Functions(_PREPARE(_or_end(own.prepare)), _CALL(_or_end(own.run)),
                           _CALL(_or_end(own.release)))
    worker.xccl_compare_serve(
        ctypes.byref(functions), int(rank), int(rank_count),
        f"PyTorch {torch.__version__}, torch.distributed with gloo".encode(), socket.encode(),
        starting_line.encode())
    os._exit(0)  # peers may be gone already, of which its destructors would complain


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit("use: compare_pytorch SOCKET STARTING_LINE RANK RANKS FOLDER")
    main(*sys.argv[1:])
