"""Pools, queues, managers and shared memory, by fork and by spawn."""
import multiprocessing
from multiprocessing import shared_memory


def square(x):
    return x * x


def put(queue, count):
    queue.put(sum(range(count)))


if __name__ == "__main__":
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with context.Pool(3) as pool:
            print(method, pool.map(square, range(8)))
        queue = context.Queue()
        worker = context.Process(target=put, args=(queue, 1000))
        worker.start()
        print(queue.get(timeout=30), worker.join(), worker.exitcode)
    with multiprocessing.Manager() as manager:
        shared = manager.dict(a=1)
        shared["b"] = 2
        print(dict(shared))
    memory = shared_memory.SharedMemory(create=True, size=1 << 20)
    memory.buf[:5] = b"hello"
    other = shared_memory.SharedMemory(memory.name)
    print(bytes(other.buf[:5]))
    other.close()
    memory.close()
    memory.unlink()
