"""A server, its clients and child processes on one event loop."""
import asyncio


async def serve(reader, writer):
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()


async def ask(port, word):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(word + b"\n")
    answer = await reader.readline()
    writer.close()
    return answer


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(await asyncio.gather(*(ask(port, word) for word in (b"one", b"two", b"three"))))
    server.close()
    child = await asyncio.create_subprocess_exec("sh", "-c", "read x; echo got $x; exit 3", stdin=-1, stdout=-1)
    print(await child.communicate(b"line\n"), child.returncode)
    try:
        await asyncio.wait_for(asyncio.sleep(60), 0.05)
    except asyncio.TimeoutError:
        print("too late")


asyncio.run(main())
